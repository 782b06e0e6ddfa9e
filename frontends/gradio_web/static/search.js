// Looking through titles and messages: a field, and what was found in place of the list.
import { h } from "./dom.js";
import { UNTITLED } from "./entries.js";
import { upright } from "./harmless.js";

const PAUSE_MS = 120; // between two keys of somebody who types

export class Search {
  #asked = 0;
  #timer = 0;
  #next = null;

  /** `actions`: search(query, after), open(conversation, message), failed(error), searching(whether). */
  constructor(actions) {
    this.actions = actions;
    this.field = h("input", {
      type: "search",
      class: "cc-search",
      placeholder: "Search",
      "aria-label": "Search titles and messages",
      autocomplete: "off",
      maxlength: 500,
    });
    this.field.oninput = () => this.#later();
    this.field.onkeydown = (event) => this.#key(event);
    this.state = h("p", { class: "cc-search-state", role: "status" });
    this.results = h("ul", { class: "cc-results" });
    this.more = h("button", { type: "button", class: "cc-button", hidden: true }, "Show more");
    this.more.onclick = () => this.#ask(this.#next);
    this.element = h("div", { class: "cc-found", hidden: true }, this.state, this.results, this.more);
  }

  clear() {
    this.field.value = "";
    this.#later();
  }

  #later() {
    clearTimeout(this.#timer);
    const isSearching = this.field.value.trim() !== "";
    this.element.hidden = !isSearching;
    this.actions.searching(isSearching);
    this.#asked++; // what was asked before is not wanted any more
    if (!isSearching) this.results.replaceChildren();
    else this.#timer = setTimeout(() => this.#ask(null), PAUSE_MS);
  }

  async #ask(after) {
    const asked = ++this.#asked;
    let page;
    try {
      page = await this.actions.search(this.field.value, after);
    } catch (error) {
      if (asked === this.#asked) this.actions.failed(error);
      return;
    }
    if (asked !== this.#asked) return;
    const found = page.found.map((one) => this.#result(one, page.first_words[one.conversation.id]));
    if (after) this.results.append(...found);
    else this.results.replaceChildren(...found);
    this.#next = page.next;
    this.more.hidden = !page.next;
    const missing = page.unindexed ? ` ${page.unindexed} messages are not in the index yet.` : "";
    const count = this.results.children.length;
    this.state.textContent = (count ? `${count}${page.next ? " or more" : ""} found.` : "Nothing found.") + missing;
  }

  /** `calling`: what the conversation is called by, if it has no title. */
  #result(found, calling) {
    const { conversation, message_id, text, marks, created_at } = found;
    const onclick = (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
      event.preventDefault();
      this.actions.open(conversation.id, message_id);
    };
    const title = upright(conversation.title ?? calling ?? UNTITLED);
    const date = new Date(created_at).toLocaleDateString(undefined, { dateStyle: "medium" });
    const words = message_id
      ? [h("span", { class: "cc-result-title" }, title), h("span", { class: "cc-result-text" }, ...marked(text, marks))]
      : [h("span", { class: "cc-result-title" }, ...marked(text, marks))];
    const link = h(
      "a",
      { href: `?conversation=${conversation.id}`, onclick },
      ...words,
      h("span", { class: "cc-result-date" }, date),
    );
    return h("li", {}, link);
  }

  #key(event) {
    const links = [...this.results.querySelectorAll("a")];
    if (event.key === "Escape" && this.field.value) this.clear();
    else if (event.key === "ArrowDown" && links.length) links[0].focus();
    else if (event.key === "Enter" && links.length) links[0].click();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }
}

/** Marks count code points, JavaScript counts halves of them. */
function marked(text, marks) {
  const characters = Array.from(text);
  const pieces = [];
  let at = 0;
  for (const [first, end] of marks) {
    pieces.push(upright(characters.slice(at, first).join("")));
    pieces.push(h("mark", {}, upright(characters.slice(first, end).join(""))));
    at = end;
  }
  pieces.push(upright(characters.slice(at).join("")));
  return pieces.filter((piece) => piece !== "");
}
