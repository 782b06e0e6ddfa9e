// The page: joins the event stream, the conversation that is held, and what Gradio's components draw of it.
import { addressOf, conversationHere, statisticsHere } from "./address.js";
import { Api, ApiError } from "./api.js";
import { Attention } from "./attention.js";
import { mendCodeButtons } from "./clipboard.js";
import { Composer } from "./composer.js";
import { Drawing } from "./drawing.js";
import { Endings } from "./endings.js";
import { Fold, isOpen } from "./fold.js";
import { closeSidebar, Frame, place } from "./frame.js";
import { disarm, guardTemplates, upright } from "./harmless.js";
import { mounted } from "./mounted.js";
import { Panels } from "./panels.js";
import { point } from "./pointing.js";
import { keepInPlace, toBottom } from "./scrolling.js";
import { Settings } from "./settings.js";
import { Sidebar } from "./sidebar.js";
import { Statistics } from "./statistics.js";
import { Stream } from "./stream.js";

const UNDO_MS = 8000;
const RETRY_MS = 1000;
const BROKEN = "Something went wrong in this page. Reload it.";
const NOT_SHOWN = "This message could not be shown. Try again.";
const TITLE = document.title; // of a page of which the chat is a part
const NO_VOTE = { rating: null, comment: null, reasons: [] };
const SPOKEN = {
  complete: "The answer has ended.",
  stopped: "The answer was stopped.",
  failed: "The answer failed.",
  interrupted: "The answer was interrupted.",
};

/** Called once by Gradio; `trigger(name)` has it run the listener of that name, which asks us for values. */
export async function start(trigger, settings) {
  guardTemplates();
  await mounted(settings.pieces);
  disarm(["cc-hist", "cc-live"]);
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
  #chosen; // the one that is on its way, or is here; undefined: none was yet
  #deleted = new Set(); // those that were deleted here
  #opening = null;
  #visit = 0; // of conversations by this tab: what comes late for an earlier one is dropped
  #attention;
  #drawing;
  #endings;
  #settings;
  #statistics;
  #finds = 0; // messages that are on their way into view

  constructor(trigger, settings) {
    this.#trigger = trigger;
    this.#api = new Api(settings.api);
    this.#attention = new Attention({
      open: (id) => this.go(id),
      say: (sentence) => this.#frame.toast(sentence),
    });
    this.#settings = new Settings({
      limits: settings.limits,
      health: () => this.#api.health(),
      save: (wanted) => this.#api.change(this.#conversation, { settings: wanted }),
      changed: () => this.#drawing.want("history"),
      failed: (error) => this.#fail(error),
    });
    this.#frame = new Frame(settings, {
      older: () => this.#older(),
      title: (words) => {
        const shown = this.#statistics.isOpen ? `Statistics · ${settings.title}` : words;
        this.#attention.title(settings.is_page ? shown : TITLE);
      },
      example: (text) => this.composer.fill(text),
      answering: () => this.#settings.answering,
      buttons: [this.#attention.button, this.#settings.button],
    });
    this.#endings = new Endings((answer) => this.#trigger("answered", toldOf(answer)));
    this.#stream = new Stream(this.#api.eventsAddress, {
      isThere: () => this.#api.health(),
      onEvent: (event) => this.#take(event),
      onOpen: () => this.#setConnected(true),
      onLost: () => this.#setConnected(false),
    });
    this.#statistics = new Statistics({
      load: (days) => this.#api.statistics(days),
      exportAddress: (query) => this.#api.exportAllAddress(query),
      go: (days) => this.#goStatistics("pushState", days),
      turn: (days) => this.#goStatistics("replaceState", days),
    });
    this.#sidebar = new Sidebar(place("sidebar"), {
      list: async (wanted) => {
        const page = await this.#api.conversations(wanted);
        page.conversations.forEach((one) => this.#attention.change(one)); // some run already
        return page;
      },
      search: (query, after) => this.#api.search(query, after),
      open: (id, message = null) => this.go(id, message),
      rename: (id, title) => this.#try(this.#api.change(id, { title })),
      pin: (entry, pinned) => this.#try(this.#api.change(entry.id, { pinned })),
      archive: (entry, archived) => this.#try(this.#api.change(entry.id, { archived })),
      export: (entry, format) => save(this.#api.exportAddress(entry.id, format)),
      delete: (conversation) => this.#delete(conversation),
      failed: (error) => this.#fail(error),
      buttons: [this.#statistics.link],
    });
    const hasComposer = settings.pieces.includes("composer");
    document.body.classList.toggle("cc-read-only", !hasComposer);
    this.composer = new (hasComposer ? Composer : NoComposer)({
      limits: settings.limits,
      draw: () => this.#trigger("draw_box"),
      conversation: () => this.#chosen,
      settings: () => this.#settings.waiting,
      sending: () => toBottom(),
      sent: (id) => {
        this.#settings.taken();
        this.go(id);
      },
      stored: (given) => {
        this.#trigger("sent", given);
        this.#endings.expect(given.message_id);
        this.#lookForEndings();
      },
      stop: () => this.#try(this.#api.stop(this.#conversation)),
      refuse: (sentence) => this.#frame.toast(sentence),
      say: (words) => this.#frame.sayActivity(words),
    });
    this.#actions = {
      limits: settings.limits,
      panels: new Panels(() => this.#drawing.decorate()),
      rate: (id, feedback) => this.#rate(id, feedback),
      regenerate: (id) => this.#try(this.#api.regenerate(id)),
      continue: (id) => this.#try(this.#api.continue(id)),
      canContinue: (message) => settings.can_continue.includes(message.responder),
      edit: (id, text) => this.#try(this.#api.edit(id, text)),
      undo: (head) => this.#undo(head),
      moveHead: (id) => this.#try(this.#api.moveHead(this.#conversation, id)),
      toast: (...given) => this.#frame.toast(...given),
      focus: (message, action) =>
        document.querySelector(`[data-message="${message.id}"] [data-action="${action}"]`)?.focus(),
    };
    mendCodeButtons();
    addEventListener("unhandledrejection", () => this.#frame.toast(BROKEN));
    addEventListener("popstate", () => this.#arrive());
    const drawn = {
      fold: () => this.#fold,
      trigger,
      around: (isBusy) => this.#drawAround(isBusy),
      tail: () => this.#frame.drawTail(this.#fold),
      reopen: () => this.#reopen(),
      isSeeking: () => this.#finds > 0,
      actions: this.#actions,
    };
    this.#drawing = new Drawing(drawn, this.#api.fileAddress);
    this.#arrive();
  }

  #setConnected(isConnected) {
    this.#frame.sayConnection(isConnected ? "" : "Reconnecting…");
    this.composer.isConnected = isConnected;
  }

  // --- which conversation ----------------------------------------------------------------------------------

  /** Show what the address says. */
  #arrive() {
    this.#settings.close();
    this.#showStatistics(statisticsHere());
    this.#open(conversationHere());
  }

  #goStatistics(step, days) {
    closeSidebar();
    history[step](null, "", addressOf(conversationHere(), days));
    this.#showStatistics(days);
  }

  #showStatistics(days) {
    this.#statistics.show(days);
    this.#frame.entitle();
  }

  /** Show another conversation (null: a new one), at `message` if given; its address becomes this tab's. */
  async go(id, message = null) {
    closeSidebar();
    this.#showStatistics(null);
    if (id !== this.#chosen) {
      history.pushState(null, "", addressOf(id));
      this.#open(id);
    }
    await this.#opening;
    if (message && id === this.#conversation) await this.#find(message);
  }

  /** Bring a message into view: from further up, or from another branch, which is shown then. */
  async #find(id) {
    this.#finds++;
    try {
      await this.#seek(id);
    } finally {
      this.#finds--;
    }
  }

  async #seek(id) {
    const conversation = this.#conversation;
    const message = await this.#try(this.#api.message(id));
    if (!message || !(await this.#olderTo(message.depth))) return;
    if (!this.#fold.path().some((one) => one.id === id)) {
      if (!(await this.#try(this.#api.moveHead(conversation, id)))) return;
      if (this.#chosen !== conversation) return; // another one is on its way
      await this.#open(conversation);
      if (!(await this.#olderTo(message.depth))) return;
    }
    const visit = this.#visit;
    const hasCome = await point(id); // until then the column may be at its bottom still: nothing is let go
    if (!hasCome && visit === this.#visit) this.#frame.toast(NOT_SHOWN);
  }

  /** Whether all of the visible path from `depth` on is held now, and the conversation still the same. */
  async #olderTo(depth) {
    const visit = this.#visit;
    while (this.#fold?.hasOlder && this.#fold.topDepth > depth) {
      const before = this.#fold.topDepth;
      await this.#older();
      if (visit !== this.#visit || this.#fold?.topDepth === before) return false;
    }
    return this.#fold !== null;
  }

  #open(id) {
    return (this.#opening = this.#load(id));
  }

  async #load(id) {
    const visit = ++this.#visit;
    this.#choose(id);
    try {
      const [page] = await Promise.all([id && this.#api.page(id), this.#sidebar.loaded()]);
      if (visit === this.#visit) this.#show(id, page);
    } catch (error) {
      if (visit === this.#visit) await this.#cannotOpen(id, error);
    }
  }

  /** It may take its time to come: what is written from now on is for it already, and the list says so. */
  #choose(id) {
    this.#chosen = id;
    if (!this.#sidebar.user) return;
    document.body.classList.toggle("cc-is-opening", id !== this.#conversation);
    this.#sidebar.show(id);
    this.composer.show(id, this.#sidebar.user);
  }

  /** `page` null: a new conversation. */
  #show(id, page) {
    document.body.classList.remove("cc-is-opening");
    const isOther = id !== this.#conversation;
    this.#conversation = id;
    this.#fold = page ? new Fold(page) : null;
    this.#sidebar.show(id);
    this.composer.show(id, this.#sidebar.user);
    if (isOther) toBottom();
    this.#drawing.want("history");
    document.body.dataset.ready = "true";
    this.#stream.follow(id, page?.cursor, this.#sidebar.takeCursor());
    if (isOther) this.#trigger("opened", { conversation_id: id });
    this.#lookForEndings();
  }

  async #cannotOpen(id, error) {
    if (error instanceof ApiError && error.status === 404) {
      this.#frame.toast("This conversation does not exist.");
      return this.#leave();
    }
    this.#setConnected(false);
    const visit = this.#visit;
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    if (visit === this.#visit) await this.#open(id);
  }

  /** Fetch the conversation that is shown anew; not while another one is on its way. */
  #reopen() {
    if (this.#isStaying()) this.#open(this.#conversation);
  }

  #isStaying() {
    return this.#chosen === this.#conversation;
  }

  /** The conversation was deleted, by whomever: here it was told already. */
  #lose() {
    if (!this.#isStaying()) return;
    if (!this.#deleted.has(this.#conversation)) this.#frame.toast("This conversation was deleted.");
    this.#leave();
  }

  /** To a new conversation, without a way back to this one: it is gone. */
  #leave() {
    history.replaceState(null, "", addressOf(null, statisticsHere()));
    return this.#open(null);
  }

  async #older() {
    const fold = this.#fold;
    const page = await this.#try(this.#api.page(this.#conversation, fold.path()[0].id));
    if (!page || fold !== this.#fold) return;
    keepInPlace(fold.path()[0].id);
    fold.take(page);
    this.#drawing.want("history");
  }

  // --- events ---------------------------------------------------------------------------------------------

  #take(event) {
    if (event.type === "list_changed") {
      this.#attention.change(event.conversation);
      if (event.conversation_id === this.#conversation) this.#fold?.call(event.first_words);
      return this.#sidebar.change(event.conversation, event.first_words);
    }
    if (event.type === "list_reset") {
      return this.#sidebar.reload();
    }
    if (event.conversation_id !== this.#conversation || !this.#fold) return;
    const before = this.#fold.messages.get(event.message?.id);
    const changed = this.#fold.apply(event);
    if (changed === "gone") return this.#lose();
    if (changed === "lost") return this.#reopen();
    const hasEnded = event.type === "message_changed" && event.message.ended_at;
    if (hasEnded) this.#frame.speak(SPOKEN[event.message.status] ?? "");
    if (hasEnded && before && isOpen(before)) this.#endings.take(event.message);
    this.#lookForEndings();
    this.#drawing.want(changed);
  }

  /** An answer may have ended before this tab saw anything of it. */
  #lookForEndings() {
    this.#endings.look(this.#fold?.path() ?? []);
  }

  // --- drawing --------------------------------------------------------------------------------------------

  #drawAround(isBusy) {
    this.#settings.show(this.#fold?.conversation.settings ?? null);
    this.#frame.draw(this.#fold);
    if (this.#fold) this.#sidebar.suggest(this.#conversation, this.#fold.title());
    this.composer.setBusy(isBusy);
  }

  /** Values of both Chatbots, which Gradio's listeners ask for. */
  all() {
    return this.#drawing.all();
  }

  /** Value of the live Chatbot. */
  live() {
    return this.#drawing.live();
  }

  // --- doing things ---------------------------------------------------------------------------------------

  async #rate(id, feedback) {
    const given = await this.#try(this.#api.rate(id, feedback));
    const message = this.#fold?.messages.get(id);
    if (given !== undefined && message) this.#trigger("rated", { ...toldOf(message), ...NO_VOTE, ...feedback });
    return given;
  }

  async #delete(conversation) {
    const { id } = conversation;
    const wasHere = id === this.#conversation;
    const name = upright(this.#sidebar.nameOf(conversation));
    this.#deleted.add(id);
    if ((await this.#try(this.#api.delete(id))) === undefined) {
      this.#deleted.delete(id);
      return;
    }
    const undo = async () => {
      this.#deleted.delete(id);
      if ((await this.#try(this.#api.undelete(id))) !== undefined && wasHere) this.go(id);
    };
    this.#frame.toast(`Deleted “${name}”.`, "Undo", undo, UNDO_MS);
  }

  async #undo(head) {
    const conversation = this.#conversation;
    if ((await this.#try(this.#api.undo(conversation))) === undefined) return;
    const redo = () => this.#try(this.#api.moveHead(conversation, head));
    this.#frame.toast("The last exchange was taken back.", "Redo", redo, UNDO_MS);
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

/** What listeners that are bound in Python learn of a message. */
function toldOf({ id, conversation_id, parts, status }) {
  const text = parts.filter((part) => part.type === "text").map((part) => part.text).join("");
  return { conversation_id, message_id: id, text, status };
}

/** Where nothing can be written. */
class NoComposer {
  show() {}
  setBusy() {}
  fill() {}
}

/** Have the browser save what is at an address of ours. */
function save(address) {
  const link = document.createElement("a");
  link.href = address;
  link.download = "";
  link.click();
}
