// The list of conversations: paged as one scrolls, kept true by events; the archive; and the search.
import { arrange, h, iconButton } from "./dom.js";
import { editTitle, entryRow, UNTITLED } from "./entries.js";
import { Search } from "./search.js";

const DAY_MS = 86_400_000;
const RELOAD_MS = 500;
const PINNED = "Pinned";

export class Sidebar {
  #entries = new Map();
  #rows = new Map();
  #next = null;
  #watch;
  #isLoaded = false;
  #isArchive = false;
  #cursor = undefined;
  #loading = false;
  #current = null;
  #renaming = null;
  #timer = null;
  #suggested = new Map(); // what those without a title are called by: by the server, else by what is shown here

  /**
   * `actions`: list({archived, pinned, after}), search(query, after), open(id, message), rename(id, title),
   * pin(entry, whether), archive(entry, whether), export(entry, format), delete(entry), failed(error); buttons: more of them.
   */
  constructor(element, actions) {
    this.actions = { ...actions, rename: (entry, row) => this.#rename(entry, row) };
    this.save = actions.rename;
    this.list = h("nav", { class: "cc-list", "aria-label": "Conversations" });
    this.end = h("div", { class: "cc-list-end" });
    const onclick = () => actions.open(null);
    const create = h("button", { type: "button", class: "cc-new", onclick }, UNTITLED);
    create.prepend(iconButton("plus", "", null).firstElementChild);
    this.archive = h("button", { type: "button", class: "cc-archive", "aria-pressed": "false" }, "Archive");
    this.archive.onclick = () => this.#turn(!this.#isArchive);
    this.search = new Search({ ...actions, searching: (isSearching) => this.#hideList(isSearching) });
    this.scroller = h("div", { class: "cc-list-scroll" }, this.search.element, this.list, this.end);
    element.replaceChildren(create, this.search.field, this.scroller, this.archive, ...actions.buttons);
    this.#watch = new IntersectionObserver((seen) => seen.some((entry) => entry.isIntersecting) && this.more(), {
      root: this.scroller,
      rootMargin: "300px",
    });
    this.#watch.observe(this.end);
  }

  /** Returns when at least the first page is held. */
  async loaded() {
    if (this.#isLoaded) return;
    const archived = this.#isArchive;
    // Pinned ones stand above all others, however old they are. Changes are followed from the earlier of the
    // two pages' places; what was in the later one already changes nothing.
    const pinned = await this.actions.list({ archived, pinned: true });
    const page = await this.actions.list({ archived, pinned: false });
    this.#isLoaded = true;
    this.#cursor = pinned.cursor;
    this.user = pinned.user; // whose list it is
    this.#entries.clear();
    this.#take(pinned, page);
    this.#next = page.next;
    this.end.hidden = !this.#next;
  }

  /** Too much has changed at once: fetch it anew, once in a while as long as that goes on. */
  reload() {
    this.#timer ??= setTimeout(() => {
      this.#timer = null;
      this.#refresh();
    }, RELOAD_MS);
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
    const archived = this.#isArchive;
    try {
      const page = await this.actions.list({ archived, pinned: false, after: this.#next });
      if (archived !== this.#isArchive) return;
      this.#take(page);
      this.#next = page.next;
      this.end.hidden = !this.#next;
      // Who has scrolled on within the same frame is at the end still: only what is watched anew is told so.
      this.#watch.unobserve(this.end);
      this.#watch.observe(this.end);
    } catch (error) {
      this.actions.failed(error);
    } finally {
      this.#loading = false;
    }
  }

  /** What an event says of one conversation; `words` is what it is called by while it has no title. */
  change(conversation, words) {
    const held = this.#entries.get(conversation.id);
    if (held && held.list_seq >= conversation.list_seq) return;
    if (words) this.#suggested.set(conversation.id, words);
    else if (!conversation.title && !conversation.deleted) this.#suggested.delete(conversation.id);
    const isHere = !conversation.deleted && conversation.archived === this.#isArchive;
    if (!isHere) this.#entries.delete(conversation.id);
    else if (held || this.#isInReach(conversation)) this.#entries.set(conversation.id, conversation);
    this.#draw();
  }

  /** What to call a conversation as long as it has no title, if the server has not said it yet. */
  suggest(conversation, title) {
    if (!title || this.#suggested.has(conversation) || this.#entries.get(conversation)?.title) return;
    this.#suggested.set(conversation, title);
    if (this.#renaming !== conversation) this.#rows.delete(conversation);
    this.#draw();
  }

  nameOf({ id, title }) {
    return title ?? this.#suggested.get(id) ?? UNTITLED;
  }

  show(conversation) {
    this.#current = conversation;
    for (const [id, row] of this.#rows) this.#mark(id, row);
  }

  #turn(isArchive) {
    this.#isArchive = isArchive;
    this.archive.setAttribute("aria-pressed", String(isArchive));
    this.#refresh();
  }

  async #refresh() {
    this.#isLoaded = false;
    try {
      await this.loaded();
    } catch (error) {
      this.actions.failed(error);
    }
    this.#cursor = undefined; // its changes are followed all the time
  }

  #hideList(isHidden) {
    this.list.hidden = isHidden;
    this.end.hidden = isHidden || !this.#next;
  }

  /** Whether it stands above the end of what was fetched so far. */
  #isInReach(conversation) {
    if (!this.#next || conversation.pinned) return true;
    return [...this.#entries.values()].some((entry) => !entry.pinned && isAbove(conversation, entry));
  }

  #take(...pages) {
    for (const page of pages) {
      for (const conversation of page.conversations) this.#entries.set(conversation.id, conversation);
      for (const [id, words] of Object.entries(page.first_words)) this.#suggested.set(id, words);
    }
    this.#draw();
  }

  #draw() {
    const entries = [...this.#entries.values()].sort((a, b) => (isAbove(a, b) ? -1 : 1));
    const children = [];
    const rows = new Map();
    let group = null;
    for (const entry of entries) {
      const name = entry.pinned ? PINNED : groupOf(new Date(entry.updated_at));
      if (name !== group) children.push(h("h2", {}, (group = name)));
      rows.set(entry.id, this.#row(entry));
      children.push(rows.get(entry.id));
    }
    this.#rows = rows;
    if (!children.length && this.#isLoaded) {
      children.push(h("p", { class: "cc-list-empty" }, this.#isArchive ? "Nothing in the archive." : "No conversations yet."));
    }
    const focused = this.list.contains(document.activeElement) ? document.activeElement : null;
    const place = focused ? this.#shown().indexOf(rowOf(focused)) : -1;
    arrange(this.list, children);
    if (focused && !focused.isConnected) this.#focusAgain(focused, place);
  }

  #shown() {
    return [...this.list.querySelectorAll("[data-id]")];
  }

  /** Its row was made anew, or is gone: then it is the next one's turn. */
  #focusAgain(gone, place) {
    const rows = this.#shown();
    const row = this.#rows.get(rowOf(gone)?.dataset.id) ?? rows[Math.min(place, rows.length - 1)];
    (row?.querySelector(gone.localName) ?? this.archive).focus({ preventScroll: true });
  }

  #row(entry) {
    const held = this.#rows.get(entry.id);
    if (held && (held.dataset.seq === String(entry.list_seq) || this.#renaming === entry.id)) return held;
    const row = entryRow(entry, this.nameOf(entry), this.actions);
    this.#mark(entry.id, row);
    return row;
  }

  #mark(id, row) {
    if (id === this.#current) row.firstElementChild.setAttribute("aria-current", "page");
    else row.firstElementChild.removeAttribute("aria-current");
  }

  #rename(entry, row) {
    this.#renaming = entry.id;
    editTitle(row, entry.title, (title) => {
      this.#renaming = null;
      if (title) this.save(entry.id, title);
      else this.#draw();
    });
  }
}

const rowOf = (element) => element.closest("[data-id]");

/** Pinned before others, then the newest first; ties go by id, as everywhere. */
function isAbove(a, b) {
  if (a.pinned !== b.pinned) return a.pinned;
  if (a.activity !== b.activity) return a.activity > b.activity;
  return a.id > b.id;
}

function groupOf(date) {
  const today = new Date().setHours(0, 0, 0, 0);
  const age = today - new Date(date).setHours(0, 0, 0, 0);
  if (age <= 0) return "Today";
  if (age <= 1.5 * DAY_MS) return "Yesterday"; // a day may have 25 hours
  if (age <= 7.5 * DAY_MS) return "Previous 7 days";
  return date.toLocaleDateString("en", { month: "long", year: "numeric" });
}
