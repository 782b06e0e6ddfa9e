// Endings of answers, for listeners that are bound in Python: each is told once.
import { isOpen } from "./fold.js";

/**
 * An ending is known in one of two ways: an answer that was seen running ends; or it was over before this tab saw
 * it run, which only counts where the question was asked here (what is old is not told again). The word that a
 * question is stored comes through Gradio's queue, the events come beside it: either may be first.
 */
export class Endings {
  #due = new Set(); // questions of this tab whose answers are still to be told of
  #told = new Set();

  /** `tell(answer)` */
  constructor(tell) {
    this.tell = tell;
  }

  /** This tab has asked the question `id`. */
  expect(id) {
    this.#due.add(id);
  }

  /** An answer that was running has ended. */
  take(answer) {
    this.#due.delete(answer.parent);
    if (this.#told.has(answer.id)) return;
    this.#told.add(answer.id);
    this.tell(answer);
  }

  /** Look for answers to what this tab has asked. */
  look(messages) {
    if (!this.#due.size) return;
    const isDue = (message) => this.#due.has(message.parent) && !isOpen(message);
    messages.filter(isDue).forEach((answer) => this.take(answer));
  }
}
