// The list of conversations: paged as one scrolls, and kept true by events.
import { h, iconButton } from "./dom.js";

const DAY_MS = 86_400_000;

export class Sidebar {
  #entries = new Map();
  #rows = new Map();
  #next = null;
  #isLoaded = false;
  #cursor = undefined;
  #loading = false;
  #current = null;
  #renaming = null;

  /** `actions`: list(after), open(id), rename(id, title), delete(conversation), failed(error). */
  constructor(element, actions) {
    this.actions = actions;
    this.list = h("nav", { class: "cc-list", "aria-label": "Conversations" });
    this.end = h("div", { class: "cc-list-end" });
    const onclick = () => actions.open(null);
    const create = h("button", { type: "button", class: "cc-new", onclick }, "New chat");
    create.prepend(iconButton("plus", "", null).firstElementChild);
    element.replaceChildren(create, h("div", { class: "cc-list-scroll" }, this.list, this.end));
    new IntersectionObserver((seen) => seen.some((entry) => entry.isIntersecting) && this.more(), {
      root: this.end.parentElement,
      rootMargin: "300px",
    }).observe(this.end);
  }

  /** Returns when at least the first page is held. */
  async loaded() {
    if (this.#isLoaded) return;
    const page = await this.actions.list(null);
    this.#isLoaded = true;
    this.#cursor = page.cursor;
    this.#entries.clear();
    this.#take(page);
  }

  /** Too much has changed: what is held is fetched anew the next time. */
  forget() {
    this.#isLoaded = false;
  }

  /** From where on a list that was fetched is to be followed; undefined when it is followed already. */
  takeCursor() {
    const cursor = this.#cursor;
    this.#cursor = undefined;
    return cursor;
  }

  async more() {
    if (!this.#next || this.#loading) return;
    this.#loading = true;
    try {
      this.#take(await this.actions.list(this.#next));
    } catch (error) {
      this.actions.failed(error);
    } finally {
      this.#loading = false;
    }
  }

  /** What an event says of one conversation. */
  change(conversation) {
    const held = this.#entries.get(conversation.id);
    if (held && held.list_seq >= conversation.list_seq) return;
    if (conversation.deleted || conversation.archived) this.#entries.delete(conversation.id);
    else if (held || this.#isInReach(conversation)) this.#entries.set(conversation.id, conversation);
    this.#draw();
  }

  show(conversation) {
    this.#current = conversation;
    for (const [id, row] of this.#rows) this.#mark(id, row);
  }

  /** Whether it stands above the end of what was fetched so far. */
  #isInReach(conversation) {
    if (!this.#next) return true;
    return [...this.#entries.values()].some((entry) => entry.activity < conversation.activity);
  }

  #take(page) {
    for (const conversation of page.conversations) this.#entries.set(conversation.id, conversation);
    this.#next = page.next;
    this.#draw();
    this.end.hidden = !this.#next;
  }

  #draw() {
    const entries = [...this.#entries.values()].sort((a, b) => b.activity - a.activity);
    const children = [];
    const rows = new Map();
    let group = null;
    for (const entry of entries) {
      const name = groupOf(new Date(entry.updated_at));
      if (name !== group) children.push(h("h2", {}, (group = name)));
      rows.set(entry.id, this.#row(entry));
      children.push(rows.get(entry.id));
    }
    this.#rows = rows;
    this.list.replaceChildren(...children);
  }

  #row(entry) {
    const held = this.#rows.get(entry.id);
    if (held && (held.dataset.seq === String(entry.list_seq) || this.#renaming === entry.id)) return held;
    const title = entry.title ?? "New chat";
    const onclick = (event) => this.#click(event, entry.id);
    const link = h("a", { href: `?conversation=${entry.id}`, title, onclick }, title);
    const row = h("div", { class: "cc-entry", "data-id": entry.id, "data-seq": entry.list_seq }, link);
    if (entry.running) {
      row.append(h("span", { class: "cc-running", role: "img", "aria-label": "An answer is running" }));
    }
    row.append(
      iconButton("rename", `Rename ${title}`, () => this.#rename(row, entry)),
      iconButton("delete", `Delete ${title}`, () => this.actions.delete(entry)),
    );
    this.#mark(entry.id, row);
    return row;
  }

  #click(event, id) {
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.button) return; // the browser's: a new tab
    event.preventDefault();
    this.actions.open(id);
  }

  #mark(id, row) {
    if (id === this.#current) row.firstElementChild.setAttribute("aria-current", "page");
    else row.firstElementChild.removeAttribute("aria-current");
  }

  #rename(row, entry) {
    const link = row.querySelector("a");
    const value = entry.title ?? "";
    const input = h("input", { type: "text", value, maxlength: 200, "aria-label": "Title" });
    this.#renaming = entry.id;
    const finish = (save) => {
      if (this.#renaming !== entry.id) return;
      this.#renaming = null;
      const title = input.value.trim();
      input.replaceWith(link);
      if (save && title && title !== entry.title) {
        link.textContent = title; // until the event says so
        this.actions.rename(entry.id, title);
      }
      this.#draw();
    };
    input.onkeydown = (event) => {
      if (event.key === "Enter") finish(true);
      if (event.key === "Escape") finish(false);
    };
    input.onblur = () => finish(true);
    link.replaceWith(input);
    input.select();
  }
}

function groupOf(date) {
  const today = new Date().setHours(0, 0, 0, 0);
  const age = today - new Date(date).setHours(0, 0, 0, 0);
  if (age <= 0) return "Today";
  if (age <= 1.5 * DAY_MS) return "Yesterday"; // a day may have 25 hours
  if (age <= 7.5 * DAY_MS) return "Previous 7 days";
  return date.toLocaleDateString("en", { month: "long", year: "numeric" });
}
