// Panels that are open below messages (a vote's comment, a question's editor). They outlive the bars, which
// are made anew whenever something about their message changes.

export class Panels {
  #open = new Map(); // by message: {kind, element}

  /** `draw` has the bars drawn again. */
  constructor(draw) {
    this.draw = draw;
  }

  of = (message) => this.#open.get(message.id)?.element;
  kindOf = (message) => this.#open.get(message.id)?.kind ?? null;

  /** `make` gives the element and is given a function that closes it. */
  open(message, kind, make) {
    const element = make(() => this.close(message));
    this.#open.set(message.id, { kind, element });
    this.draw();
  }

  close(message) {
    if (this.#open.delete(message.id)) this.draw();
  }

  toggle(message, kind, make) {
    if (this.kindOf(message) === kind) this.close(message);
    else this.open(message, kind, make);
  }
}
