// The one event stream of this tab: it carries the shown conversation and the list of conversations.

const TYPES = [
  "conversation_changed",
  "message_changed",
  "part_added",
  "text_delta",
  "feedback_changed",
  "conversation_deleted",
  "reset",
  "list_changed",
  "list_reset",
];
const FIRST_DELAY_MS = 200;
const LONGEST_DELAY_MS = 5000;

/**
 * An EventSource gives up for good when the answer is not 200 (a server that is just starting), so it is
 * closed at the first error and reconnecting is done here, from the last position that was given.
 */
export class Stream {
  #address;
  #source = null;
  #position = "~";
  #conversation = null;
  #isFollowing = false;
  #delay = FIRST_DELAY_MS;
  #timer = 0;

  constructor(address, { onEvent, onOpen, onLost }) {
    this.#address = address;
    this.onEvent = onEvent;
    this.onOpen = onOpen;
    this.onLost = onLost;
    addEventListener("online", () => this.#hurry());
    document.addEventListener("visibilitychange", () => document.hidden || this.#hurry());
    addEventListener("pagehide", () => this.close());
    addEventListener("pageshow", (event) => event.persisted && this.#connect());
  }

  /**
   * Follow `conversation` (null: none) from `cursor` on, in place of the one that was followed, and the list
   * from `listCursor` on (none: from where it was). A position is both cursors, joined.
   */
  follow(conversation, cursor = "", listCursor = this.#position.split("~")[1]) {
    this.#conversation = conversation;
    this.#isFollowing = true;
    this.#position = `${cursor}~${listCursor}`;
    this.#delay = FIRST_DELAY_MS;
    this.#connect();
  }

  close() {
    clearTimeout(this.#timer);
    this.#timer = 0;
    this.#source?.close();
    this.#source = null;
  }

  #connect() {
    this.close();
    if (!this.#isFollowing) return;
    const source = new EventSource(this.#address(this.#conversation, this.#position));
    this.#source = source;
    source.onopen = () => {
      this.#delay = FIRST_DELAY_MS;
      this.onOpen();
    };
    source.onerror = () => source === this.#source && this.#lost();
    for (const type of TYPES) {
      source.addEventListener(type, (message) => {
        if (source !== this.#source) return;
        if (message.lastEventId) this.#position = message.lastEventId;
        this.onEvent(JSON.parse(message.data));
      });
    }
  }

  #lost() {
    this.close();
    this.#timer = setTimeout(() => this.#connect(), this.#delay * (0.75 + Math.random() / 2));
    this.#delay = Math.min(this.#delay * 2, LONGEST_DELAY_MS);
    this.onLost();
  }

  #hurry() {
    if (this.#timer) this.#connect();
  }
}
