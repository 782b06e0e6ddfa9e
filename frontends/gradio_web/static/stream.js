// The one event stream of this tab: it carries the shown conversation and the list of conversations.

const FIRST_DELAY_MS = 200;
const LONGEST_DELAY_MS = 5000;
const OPENING_MS = 10_000; // that a connection may take
const SILENCE_MS = 40_000; // after which it is dead: the server says something every 15 s (http_api/stream.py)
const LOOK_MS = 5000;

/**
 * A web socket rather than an EventSource, of which a browser opens six per host, so that a seventh tab would
 * wait for ever. Reconnecting is done here, from the last position that was given. A connection is not only lost
 * when it says so: of a network that has changed, or a machine that slept, nobody tells it.
 */
export class Stream {
  #address;
  #source = null;
  #position = "~";
  #conversation = null;
  #isFollowing = false;
  #delay = FIRST_DELAY_MS;
  #timer = 0;
  #heardAt = 0; // by the clock that goes on while the machine sleeps

  /** `isThere()` asks the server something, and fails where it can't be reached. */
  constructor(address, { isThere, onEvent, onOpen, onLost }) {
    this.#address = address;
    this.isThere = isThere;
    this.onEvent = onEvent;
    this.onOpen = onOpen;
    this.onLost = onLost;
    setInterval(() => this.#look(), LOOK_MS);
    addEventListener("online", () => this.#connect()); // what there is may belong to another network
    addEventListener("offline", () => this.#probe()); // a server on this machine stays
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
    const source = new WebSocket(this.#address(this.#conversation, this.#position));
    this.#source = source;
    this.#heardAt = Date.now();
    source.onopen = () => {
      this.#heardAt = Date.now();
      this.#delay = FIRST_DELAY_MS;
      this.onOpen();
    };
    source.onclose = () => source === this.#source && this.#lost();
    source.onmessage = ({ data }) => {
      this.#heardAt = Date.now();
      for (const frame of framesOf(data)) {
        if (source !== this.#source) return; // an event has had us follow something else
        if (frame.id) this.#position = frame.id;
        if (frame.data) this.onEvent(JSON.parse(frame.data));
      }
    };
  }

  #lost() {
    this.close();
    this.#timer = setTimeout(() => this.#connect(), this.#delay * (0.75 + Math.random() / 2));
    this.#delay = Math.min(this.#delay * 2, LONGEST_DELAY_MS);
    this.onLost();
  }

  #hurry() {
    if (this.#timer) this.#connect();
    else this.#look();
  }

  /** Whether the connection still lives. */
  #look() {
    const most = this.#source?.readyState === WebSocket.OPEN ? SILENCE_MS : OPENING_MS;
    if (this.#source && Date.now() - this.#heardAt > most) this.#lost();
  }

  async #probe() {
    const source = this.#source;
    try {
      await this.isThere();
    } catch {
      if (source && source === this.#source) this.#lost();
    }
  }
}

/** Server-sent events as ours are written: a line for each field, a blank line after each frame. */
function* framesOf(text) {
  for (const frame of text.split("\n\n")) {
    const fields = {};
    for (const line of frame.split("\n")) {
      const colon = line.indexOf(": ");
      if (colon > 0) fields[line.slice(0, colon)] = line.slice(colon + 2);
    }
    yield fields;
  }
}
