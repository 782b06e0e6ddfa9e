// The conversation as this tab holds it: a page, and the events that came after it.
import { upright } from "./harmless.js";
import { afterPoints, points } from "./text.js";

const OPEN = new Set(["queued", "running"]);
const TITLE_POINTS = 60; // as the server cuts them

export const isOpen = (message) => OPEN.has(message.status);

/**
 * `apply` says what has to be drawn again: "nothing", "bars" (votes), "live" (text of the running answer),
 * "history" (which messages there are); or "lost" (fetch the page anew) or "gone" (the conversation is).
 */
export class Fold {
  #children = new Map(); // by parent: ids, also of those that are not held
  #firstWords; // of one without a title, as the server has them
  #path = null; // made when it is asked for, after something of it has changed

  constructor(page) {
    this.conversation = page.conversation;
    this.#firstWords = page.first_words;
    this.messages = new Map();
    this.feedback = new Map();
    this.take(page);
  }

  /** Hold a page: the first one, or one of the messages before those held. */
  take(page) {
    for (const message of page.messages) this.#hold(message);
    for (const { message_id, user, feedback } of page.feedback) this.#rate(message_id, user, feedback);
    for (const [id, ids] of Object.entries(page.siblings)) {
      const parent = this.messages.get(id)?.parent;
      if (parent !== undefined) ids.forEach((sibling) => this.#children.get(parent).add(sibling));
    }
    this.hasOlder = page.has_older;
    this.topDepth = page.messages[0]?.depth ?? 0;
  }

  /** Let go of all but the newest of the visible path, as if no more had been taken. */
  forgetOlder(kept) {
    const [older, newer] = [this.path().slice(0, -kept), this.path().slice(-kept)];
    if (!older.length) return;
    for (const { id } of older) this.messages.delete(id);
    this.#path = newer;
    this.hasOlder = true;
    this.topDepth = newer[0].depth;
  }

  /** Whether a message of the visible path is missing: events tell of what is new, not of what was there. */
  get hasHole() {
    if (!this.conversation.head) return false;
    const top = this.path()[0];
    return !top || (top.parent !== null && top.depth > this.topDepth);
  }

  /** The visible path as far as it is held, oldest first. */
  path() {
    if (this.#path) return this.#path;
    const found = [];
    let message = this.messages.get(this.conversation.head);
    while (message) {
      found.push(message);
      message = this.messages.get(message.parent);
    }
    return (this.#path = found.reverse());
  }

  /** The newest question of the visible path, if one is held. */
  lastQuestion() {
    return this.path().findLast((message) => message.role === "user" && !message.hidden);
  }

  /** Id of the oldest message that the newest answer was made from; null: all of them. */
  memoryFrom() {
    return this.path().findLast((message) => message.started_at)?.memory_from ?? null;
  }

  /** What the server calls it by without a title now. */
  call(words) {
    this.#firstWords = words;
  }

  /** The title; of an untitled conversation the first words that were said, null where there are none. */
  title() {
    const given = this.conversation.title ?? this.#firstWords;
    if (given) return upright(given);
    if (this.hasOlder) return null; // the first question of those held is another one
    const first = this.path().find((message) => message.role === "user" && !message.hidden);
    const words = first?.parts.find((part) => part.type === "text")?.text ?? "";
    const line = [...upright(words.slice(0, 20 * TITLE_POINTS)).trim().replace(/\s+/g, " ")];
    if (line.length <= TITLE_POINTS) return line.join("") || null;
    return `${line.slice(0, TITLE_POINTS - 1).join("").replace(/[\s,.;:-]+\S*$/, "")}…`;
  }

  /** Ids of all that stand at the same place as `message`, oldest first. */
  siblingsOf(message) {
    return [...this.#children.get(message.parent)].sort();
  }

  /** The owner's vote: {rating, comment, reasons}, or null. */
  feedbackOf(message) {
    return this.feedback.get(message.id) ?? null;
  }

  apply(event) {
    switch (event.type) {
      case "conversation_changed":
        if (event.conversation.seq < this.conversation.seq) return "nothing";
        this.conversation = event.conversation;
        this.#path = null;
        return "history";
      case "message_changed":
        return this.#message(event.message);
      case "part_added":
        return this.#part(event);
      case "text_delta":
        return this.#delta(event);
      case "feedback_changed":
        this.#rate(event.message_id, event.user, event.feedback);
        return "bars";
      case "conversation_deleted":
        return "gone";
      default:
        return "lost"; // a reset, or an event that this page is too old for
    }
  }

  #message(message) {
    if (this.messages.get(message.id)?.seq >= message.seq) return "nothing";
    this.#hold(message);
    return "history";
  }

  #part({ message_id, index, part }) {
    const message = this.messages.get(message_id);
    if (!message || !isOpen(message) || index < message.parts.length) return "nothing";
    if (index > message.parts.length) return "lost";
    message.parts.push(held(part));
    return "live";
  }

  #delta({ message_id, index, start, text }) {
    const message = this.messages.get(message_id);
    if (!message || !isOpen(message)) return "nothing";
    const part = message.parts[index];
    if (!part || start > part.points) return "lost";
    const fresh = afterPoints(text, part.points - start);
    part.text += fresh;
    part.points += points(fresh);
    return "live";
  }

  #hold(message) {
    this.#path = null;
    this.messages.set(message.id, { ...message, parts: message.parts.map(held) });
    if (!this.#children.has(message.parent)) this.#children.set(message.parent, new Set());
    this.#children.get(message.parent).add(message.id);
  }

  #rate(messageId, user, feedback) {
    if (user !== this.conversation.owner) return;
    if (feedback) this.feedback.set(messageId, feedback);
    else this.feedback.delete(messageId);
  }
}

// The code points of a text that may grow are counted here once, and from then on only those that are added.
function held(part) {
  return "text" in part ? { ...part, points: points(part.text) } : part;
}
