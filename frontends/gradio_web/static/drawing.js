// What of the conversation that is held is drawn, and when.
import { decorate } from "./decoration.js";
import { isOpen } from "./fold.js";
import { rowsOf } from "./rows.js";
import { isAtBottom, watchLive } from "./scrolling.js";

const [MOST_HELD, KEPT] = [300, 100]; // messages, of which each costs time whenever something is drawn

export class Drawing {
  #dirty = new Set();
  #isScheduled = false;
  #restUntil = 0;
  #shown = []; // by the rows of the history, and of the live messages
  #shownLive = [];
  #isLiveSeen = true;

  /**
   * `page`: fold() gives what is held or null; trigger(name) has Gradio ask for values; around(isBusy) and tail()
   * draw what is not the Chatbots'; reopen() fetches the conversation anew; isSeeking() says whether a message is
   * on its way into view; actions are those of the messages' bars.
   */
  constructor(page, fileAddress) {
    this.page = page;
    this.fileAddress = fileAddress;
    observe("cc-hist", () => this.decorate());
    observe("cc-live", () => this.#decorateLive());
    watchLive((isSeen) => {
      this.#isLiveSeen = isSeen;
      if (isSeen && this.#dirty.has("live")) this.want("live");
    });
  }

  /**
   * Draw "history", "live" or "bars" in a coming frame. Text may come faster than frames do: what is drawn is all
   * that is held. Drawing a long answer takes its time, so as long as that took the page is left to the person.
   */
  want(what) {
    if (what === "nothing") return;
    this.#dirty.add(what);
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setTimeout(() => requestAnimationFrame(() => this.#draw()), this.#restUntil - performance.now());
  }

  #draw() {
    const began = performance.now();
    requestAnimationFrame(() => (this.#restUntil = 2 * performance.now() - began));
    this.#isScheduled = false;
    const dirty = this.#dirty;
    this.#dirty = new Set();
    if (this.page.fold()?.hasHole) return this.page.reopen();
    if (this.#forgetOlder() || dirty.has("history")) {
      this.page.trigger("draw_all");
      this.page.around(this.#split().open.length > 0);
    } else if (dirty.has("live")) {
      this.page.tail();
      if (this.#isLiveSeen || !this.#shownLive.length) this.page.trigger("draw_live");
      else this.#dirty.add("live"); // when it comes into sight
    }
    if (dirty.has("bars")) this.decorate();
  }

  /** Whether earlier messages were let go: they were loaded to be read, and the reader is back at the bottom. */
  #forgetOlder() {
    const fold = this.page.fold();
    if (!fold || this.page.isSeeking() || fold.path().length <= MOST_HELD || !isAtBottom()) return false;
    fold.forgetOlder(KEPT);
    return true;
  }

  /** Draw what belongs to the rows that stand there. */
  decorate() {
    const log = document.getElementById("cc-hist");
    const fold = this.page.fold();
    if (fold && log) decorate(log, this.#shown, this.fileAddress, fold, this.page.actions);
  }

  #decorateLive() {
    quieten();
    decorate(document.getElementById("cc-live"), this.#shownLive, this.fileAddress);
  }

  #split() {
    const path = this.page.fold()?.path() ?? [];
    const first = path.findIndex(isOpen);
    const length = first < 0 ? path.length : first;
    return { ended: path.slice(0, length), open: path.slice(length) };
  }

  /** Values of both Chatbots at once: an answer that ends is never seen twice and never missing. */
  all() {
    const { rows, shown } = rowsOf(this.#split().ended, this.fileAddress);
    this.#shown = shown;
    return [rows, this.live()];
  }

  /** Value of the live Chatbot: the running answer and what waits behind it. */
  live() {
    const { rows, shown } = rowsOf(this.#split().open, this.fileAddress);
    this.#shownLive = shown;
    return rows;
  }
}

function observe(id, onChange) {
  const log = document.getElementById(id);
  if (log) new MutationObserver(onChange).observe(log, { childList: true, subtree: true });
}

/** The text is not read out as it streams. (The Chatbot makes its log anew when it had none to show.) */
function quieten() {
  const log = document.querySelector("#cc-live [role=log]");
  if (log?.getAttribute("aria-live") !== "off") log?.setAttribute("aria-live", "off");
}
