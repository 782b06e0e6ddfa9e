// One conversation in the list: a link, and a menu of what can be done with it.
import { h } from "./dom.js";
import { upright } from "./harmless.js";
import { menuButton } from "./menu.js";

export const UNTITLED = "New chat";

/** `actions`: open(id), rename(entry, row), and those that the menu names, each with the entry. */
export function entryRow(entry, given, actions) {
  const title = upright(given);
  const onclick = (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.button) return; // the browser's: a new tab
    event.preventDefault();
    actions.open(entry.id);
  };
  const link = h("a", { href: `?conversation=${entry.id}`, title, onclick }, title);
  const row = h("div", { class: "cc-entry", "data-id": entry.id, "data-seq": entry.list_seq }, link);
  if (entry.running) {
    row.append(h("span", { class: "cc-running", role: "img", "aria-label": "An answer is running" }));
  }
  row.append(
    menuButton("more", `More about ${title}`, () => [
      ["Rename", () => actions.rename(entry, row)],
      [entry.pinned ? "Unpin" : "Pin", () => actions.pin(entry, !entry.pinned)],
      [entry.archived ? "Unarchive" : "Archive", () => actions.archive(entry, !entry.archived)],
      ["Export as Markdown", () => actions.export(entry, "markdown")],
      ["Export as JSON", () => actions.export(entry, "chatcore")],
      ["Delete", () => actions.delete(entry)],
    ]),
  );
  return row;
}

/** Puts a field in place of the link; `done` gets the new title, or null when it stays. */
export function editTitle(row, title, done) {
  const link = row.querySelector("a");
  const input = h("input", { type: "text", value: title ?? "", maxlength: 200, "aria-label": "Title" });
  let isDone = false;
  const finish = (isKept) => {
    if (isDone) return;
    isDone = true;
    const wanted = input.value.trim();
    const changed = isKept && wanted && wanted !== title ? wanted : null;
    if (changed) link.textContent = changed; // until the event says so
    input.replaceWith(link);
    link.focus();
    done(changed);
  };
  input.onkeydown = (event) => {
    if (event.key === "Enter") finish(true);
    if (event.key === "Escape") finish(false);
  };
  input.onblur = () => finish(true);
  link.replaceWith(input);
  input.select();
}
