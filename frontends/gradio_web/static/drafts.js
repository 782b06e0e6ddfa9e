// What was written and not sent, kept in this browser for each user and conversation until it is.

const [TEXT, FILES] = ["chatcore.draft.", "chatcore.draft-files."];

let owner = "";

/** Whose drafts are meant from now on: another person may have used this browser before. */
export function setOwner(user) {
  owner = user;
}

/** `conversation` null: the one that is not there yet, of which each user has one. */
const keyOf = (prefix, conversation) => `${prefix}${conversation ?? "new"}.${owner}`;

export const readDraft = (conversation) => attempt(() => localStorage.getItem(keyOf(TEXT, conversation))) ?? "";

export const keepDraft = (conversation, text) => keep(keyOf(TEXT, conversation), text.trim() ? text : "");

/** Uploads that the draft has, as Gradio refers to them: what they hold lies at the server. */
export function keepFiles(conversation, files) {
  keep(keyOf(FILES, conversation), files.length ? JSON.stringify(files) : "");
}

/** Those, as `sorted` gives them. */
export function readFiles(conversation) {
  const kept = attempt(() => JSON.parse(localStorage.getItem(keyOf(FILES, conversation))));
  return sorted(Array.isArray(kept) ? kept.filter((file) => typeof file?.url === "string") : []);
}

/** Uploads that are there, and the names of those that are no more: the server keeps what was not sent until it ends. */
export async function sorted(files) {
  const isThere = await Promise.all(files.map(({ url }) => !url || exists(url)));
  return {
    files: files.filter((_, index) => isThere[index]),
    lost: files.filter((_, index) => !isThere[index]).map((file) => file.orig_name),
  };
}

export const hasFiles = (conversation) => Boolean(attempt(() => localStorage.getItem(keyOf(FILES, conversation))));

async function exists(url) {
  try {
    return (await fetch(url, { method: "HEAD" })).ok;
  } catch {
    return true; // the server is away: it says so when they are sent
  }
}

function keep(key, value) {
  attempt(() => (value ? localStorage.setItem(key, value) : localStorage.removeItem(key)));
}

// A browser may have no storage, or a full one: then a draft lasts as long as its page.
function attempt(action) {
  try {
    return action();
  } catch {
    return null;
  }
}
