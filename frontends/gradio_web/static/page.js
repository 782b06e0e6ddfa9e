// The page: joins the event stream, the conversation that is held, and what Gradio's components draw of it.
import { Api, ApiError } from "./api.js";
import { drawBars } from "./bars.js";
import { Composer } from "./composer.js";
import { Fold, isOpen } from "./fold.js";
import { closeSidebar, Frame, place } from "./frame.js";
import { rowsOf } from "./rows.js";
import { Sidebar } from "./sidebar.js";
import { Stream } from "./stream.js";

const UNDO_MS = 8000;
const RETRY_MS = 1000;
const PLACES = ["sidebar", "header", "top", "tail", "notice"].map((name) => `#cc-${name} .cc-place`);
const NEEDED = [...PLACES, "#cc-hist .wrapper", "#cc-live .wrapper", "#cc-box textarea"];

/** Called once by Gradio; `trigger(name)` has it run the listener of that name, which asks us for values. */
export async function start(trigger, settings) {
  await mounted();
  window.chatcore = new Page(trigger, settings);
}

class Page {
  #trigger;
  #api;
  #frame;
  #sidebar;
  #stream;
  #actions;
  #fold = null;
  #conversation = null;
  #visit = 0; // of conversations by this tab: what comes late for an earlier one is dropped
  #dirty = new Set();
  #isScheduled = false;
  #restUntil = 0;
  #owners = [];

  constructor(trigger, settings) {
    this.#trigger = trigger;
    this.#api = new Api(settings.api);
    this.#frame = new Frame(settings, { older: () => this.#older() });
    this.#stream = new Stream(this.#api.eventsAddress, {
      onEvent: (event) => this.#take(event),
      onOpen: () => this.#setConnected(true),
      onLost: () => this.#setConnected(false),
    });
    this.#sidebar = new Sidebar(place("sidebar"), {
      list: (after) => this.#api.conversations(after),
      open: (id) => this.go(id),
      rename: (id, title) => this.#try(this.#api.rename(id, title)),
      delete: (conversation) => this.#delete(conversation),
      failed: (error) => this.#fail(error),
    });
    this.composer = new Composer({
      draw: () => this.#trigger("draw_buttons"),
      conversation: () => this.#conversation,
      sending: () => this.#toBottom(),
      sent: (id) => this.#conversation === null && this.go(id),
      stop: () => this.#try(this.#api.stop(this.#conversation)),
    });
    this.#actions = {
      rate: (id, rating) => this.#try(this.#api.rate(id, rating)),
      regenerate: (id) => this.#try(this.#api.regenerate(id)),
      continue: (id) => this.#try(this.#api.continue(id)),
      canContinue: (message) => settings.can_continue.includes(message.responder),
      moveHead: (id) => this.#try(this.#api.moveHead(this.#conversation, id)),
    };
    addEventListener("popstate", () => this.#open(addressed()));
    observe("cc-hist", () => this.#drawBars());
    observe("cc-live", () => this.#frame.quieten());
    this.#open(addressed());
  }

  #setConnected(isConnected) {
    this.#frame.sayConnection(isConnected ? "" : "Reconnecting…");
    this.composer.isConnected = isConnected;
  }

  // --- which conversation ----------------------------------------------------------------------------------

  /** Show another conversation (null: a new one) and make its address this tab's. */
  go(id) {
    closeSidebar();
    if (id === this.#conversation) return;
    history.pushState(null, "", id ? `?conversation=${id}` : location.pathname);
    this.#open(id);
  }

  async #open(id) {
    const visit = ++this.#visit;
    try {
      const [page] = await Promise.all([id && this.#api.page(id), this.#sidebar.loaded()]);
      if (visit === this.#visit) this.#show(id, page);
    } catch (error) {
      if (visit === this.#visit) this.#cannotOpen(id, error);
    }
  }

  /** `page` null: a new conversation. */
  #show(id, page) {
    const isOther = id !== this.#conversation;
    this.#conversation = id;
    this.#fold = page ? new Fold(page) : null;
    this.#sidebar.show(id);
    if (isOther) this.#toBottom();
    this.#draw("history");
    document.body.dataset.ready = "true";
    this.#stream.follow(id, page?.cursor, this.#sidebar.takeCursor());
  }

  #cannotOpen(id, error) {
    if (error instanceof ApiError && error.status === 404) {
      this.#frame.toast("This conversation does not exist.");
      this.#leave();
    } else {
      this.#setConnected(false);
      const visit = this.#visit;
      setTimeout(() => visit === this.#visit && this.#open(id), RETRY_MS);
    }
  }

  /** To a new conversation, without a way back to this one: it is gone. */
  #leave() {
    history.replaceState(null, "", location.pathname);
    this.#open(null);
  }

  async #older() {
    const fold = this.#fold;
    const page = await this.#try(this.#api.page(this.#conversation, fold.path()[0].id));
    if (!page || fold !== this.#fold) return;
    fold.take(page);
    this.#draw("history");
  }

  // --- events ---------------------------------------------------------------------------------------------

  #take(event) {
    if (event.type === "list_changed") return this.#sidebar.change(event.conversation);
    if (event.type === "list_reset") {
      this.#sidebar.forget();
      return this.#open(this.#conversation);
    }
    if (event.conversation_id !== this.#conversation || !this.#fold) return;
    const changed = this.#fold.apply(event);
    if (changed === "gone") return this.#leave();
    if (changed === "lost") return this.#open(this.#conversation);
    const hasEnded = event.type === "message_changed" && event.message.ended_at;
    if (hasEnded) this.#frame.speak("The answer has ended.");
    this.#draw(changed);
  }

  // --- drawing --------------------------------------------------------------------------------------------

  /**
   * Draw in a coming frame. Text may come faster than frames do: what is drawn is all that is held. Drawing a
   * long answer takes its time, so as long as that took the page is left to the person.
   */
  #draw(what) {
    if (what === "nothing") return;
    this.#dirty.add(what);
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setTimeout(() => requestAnimationFrame(() => this.#drawNow()), this.#restUntil - performance.now());
  }

  #drawNow() {
    const began = performance.now();
    requestAnimationFrame(() => (this.#restUntil = 2 * performance.now() - began));
    this.#isScheduled = false;
    const dirty = this.#dirty;
    this.#dirty = new Set();
    if (this.#fold?.hasHole) return this.#open(this.#conversation);
    if (dirty.has("history")) {
      this.#frame.draw(this.#fold);
      this.#trigger("draw_all");
      this.composer.setBusy(this.#split().open.length > 0);
    } else if (dirty.has("live")) {
      this.#frame.drawTail(this.#fold);
      this.#trigger("draw_live");
    }
    if (dirty.has("bars")) this.#drawBars();
  }

  #drawBars() {
    if (this.#fold) drawBars(document.getElementById("cc-hist"), this.#owners, this.#fold, this.#actions);
  }

  #split() {
    const path = this.#fold?.path() ?? [];
    const first = path.findIndex(isOpen);
    const length = first < 0 ? path.length : first;
    return { ended: path.slice(0, length), open: path.slice(length) };
  }

  #toBottom() {
    document.getElementById("cc-scroll").scrollTop = 0; // the column is turned round: its bottom is 0
  }

  // --- what Gradio's listeners ask for --------------------------------------------------------------------

  /** Values of both Chatbots at once: an answer that ends is never seen twice and never missing. */
  all() {
    const { ended, open } = this.#split();
    const { rows, owners } = rowsOf(ended, this.#api.fileAddress);
    this.#owners = owners;
    return [rows, rowsOf(open, this.#api.fileAddress).rows];
  }

  /** Value of the live Chatbot: the running answer and what waits behind it. */
  live() {
    return rowsOf(this.#split().open, this.#api.fileAddress).rows;
  }

  // --- doing things ---------------------------------------------------------------------------------------

  async #delete(conversation) {
    if ((await this.#try(this.#api.delete(conversation.id))) === undefined) return;
    const undo = () => this.#try(this.#api.undelete(conversation.id));
    this.#frame.toast(`Deleted “${conversation.title ?? "New chat"}”.`, "Undo", undo, UNDO_MS);
  }

  /** The result, or undefined after saying what went wrong. */
  async #try(promise) {
    try {
      return await promise;
    } catch (error) {
      this.#fail(error);
      return undefined;
    }
  }

  #fail(error) {
    if (!(error instanceof ApiError)) throw error;
    this.#frame.toast(error.message);
  }
}

/** Gradio loads each kind of component by itself: ours may stand before those that it needs. */
async function mounted() {
  const isThere = () => NEEDED.every((selector) => document.querySelector(selector));
  if (isThere()) return;
  await new Promise((resolve) => {
    const watch = new MutationObserver(() => isThere() && (watch.disconnect(), resolve()));
    watch.observe(document.body, { childList: true, subtree: true });
  });
}

const observe = (id, onChange) =>
  new MutationObserver(onChange).observe(document.getElementById(id), { childList: true, subtree: true });
const addressed = () => new URLSearchParams(location.search).get("conversation");
