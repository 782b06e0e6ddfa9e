// What was written and not sent, kept in this browser for each conversation until it is.

const PREFIX = "chatcore.draft.";

/** `conversation` null: the one that is not there yet. */
const keyOf = (conversation) => PREFIX + (conversation ?? "new");

export function readDraft(conversation) {
  return attempt(() => localStorage.getItem(keyOf(conversation))) ?? "";
}

export function keepDraft(conversation, text) {
  attempt(() => {
    if (text.trim()) localStorage.setItem(keyOf(conversation), text);
    else localStorage.removeItem(keyOf(conversation));
  });
}

// A browser may have no storage, or a full one: then a draft lasts as long as its page.
function attempt(action) {
  try {
    return action();
  } catch {
    return null;
  }
}
