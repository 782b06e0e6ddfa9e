// The address of what this tab shows: a conversation, and over it the statistics. What else stands in it stays.

const USUAL_DAYS = 30;

/** The id of the conversation, null: a new one. */
export const conversationHere = () => new URLSearchParams(location.search).get("conversation") || null;

/** Of how many days the statistics are, null: they are not shown. */
export function statisticsHere() {
  const query = new URLSearchParams(location.search);
  return query.has("statistics") ? Number(query.get("statistics")) || USUAL_DAYS : null;
}

/** `conversation` null: a new one; `statistics`: of how many days, null: not shown. */
export function addressOf(conversation, statistics = null) {
  const query = new URLSearchParams(location.search);
  if (conversation) query.set("conversation", conversation);
  else query.delete("conversation");
  query.delete("statistics");
  const parts = query.size ? [query.toString()] : [];
  if (statistics) parts.push(statistics === USUAL_DAYS ? "statistics" : `statistics=${statistics}`);
  return location.pathname + (parts.length ? `?${parts.join("&")}` : "");
}
