// Answers that end while nobody looks: a mark in the title, and a notification where a person asked for it.
import { iconButton } from "./dom.js";
import { upright } from "./harmless.js";

const MARK = "● ";
const KEY = "chatcore.notify";

export class Attention {
  #title = "";
  #isMarked = false;
  #running = new Set();

  /** `actions`: open(conversation id), say(sentence). */
  constructor(actions) {
    this.actions = actions;
    this.button = iconButton("bell", "Notify me when an answer is ready", () => this.#toggle(), {
      "data-action": "notify",
    });
    this.button.hidden = !("Notification" in window && window.isSecureContext);
    this.#show();
    document.addEventListener("visibilitychange", () => document.hidden || this.#mark(false));
  }

  title(words) {
    this.#title = words;
    document.title = (this.#isMarked ? MARK : "") + words;
  }

  /** What an event of the list says of a conversation. */
  change(conversation) {
    const { id, running, deleted } = conversation;
    if (running && !deleted) return this.#running.add(id);
    if (this.#running.delete(id) && !deleted && document.hidden) this.#ended(conversation);
  }

  #ended({ id, title }) {
    this.#mark(true);
    if (!this.#isWanted) return;
    const options = { body: upright(title ?? ""), tag: id }; // the same tag from another tab: one notification
    const shown = new Notification("The answer is ready", options);
    shown.onclick = () => {
      window.focus();
      this.actions.open(id);
      shown.close();
    };
  }

  #mark(isMarked) {
    this.#isMarked = isMarked;
    this.title(this.#title);
  }

  get #isWanted() {
    return stored() && window.Notification?.permission === "granted";
  }

  async #toggle() {
    if (this.#isWanted) return this.#keep(false);
    const isAllowed = (await Notification.requestPermission()) === "granted";
    this.#keep(isAllowed);
    this.actions.say(
      isAllowed
        ? "You will be notified when an answer ends while this page is out of sight."
        : "The browser does not let this page notify you; its settings for this page can change that.",
    );
  }

  #keep(isWanted) {
    try {
      localStorage.setItem(KEY, isWanted ? "1" : "");
    } catch {
      // without storage nothing is remembered
    }
    this.#show();
  }

  #show() {
    this.button.setAttribute("aria-pressed", String(this.#isWanted));
  }
}

function stored() {
  try {
    return localStorage.getItem(KEY) === "1";
  } catch {
    return false;
  }
}
