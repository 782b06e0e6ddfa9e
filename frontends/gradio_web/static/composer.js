// The composer's part in the page: what is sent where, under which key, and which button is shown.

/** Gradio's MultimodalTextbox draws it; its listeners, bound in composer.py, call these methods. */
export class Composer {
  #draft = { words: null, key: null };
  #isBusy = false;

  /** `actions`: draw() has Gradio ask for `buttons`, conversation() is the one shown; sending(), sent(id), stop(). */
  constructor(actions) {
    this.actions = actions;
    this.isConnected = true;
    addEventListener("keydown", (event) => event.key === "Enter" && !event.shiftKey && this.#hold(event), true);
    addEventListener("click", (event) => this.#hold(event), true);
  }

  /** Without a server nothing is sent: Gradio would empty the box all the same, and the words were lost. */
  #hold(event) {
    const sends = event.type === "keydown" ? "#cc-box textarea" : "#cc-box .submit-button";
    if (this.isConnected || !event.target.closest?.(sends)) return;
    event.preventDefault();
    event.stopImmediatePropagation();
  }

  /** Whether an answer runs in the conversation that is shown. */
  setBusy(isBusy) {
    if (isBusy === this.#isBusy) return;
    this.#isBusy = isBusy;
    this.actions.draw();
  }

  /** The button stops while an answer runs, else it sends. (Enter always sends: a question may wait.) */
  buttons() {
    return { __type__: "update", submit_btn: !this.#isBusy, stop_btn: this.#isBusy };
  }

  /** Where a message goes. The same words sent again after a lost reply have the same key: stored once. */
  target(written) {
    const words = JSON.stringify([written.text, written.files.map((file) => file.path)]);
    if (words !== this.#draft.words) this.#draft = { words, key: newKey() };
    this.actions.sending();
    const names = written.files.map((file) => file.orig_name);
    return { conversation: this.actions.conversation(), key: this.#draft.key, names };
  }

  /** The message was stored; gives the composer's new value. */
  sent(target) {
    this.refused();
    this.actions.sent(target.conversation);
    return { __type__: "update", value: { text: "", files: [] } };
  }

  /** The server took nothing, or everything: the same words are a new message now. */
  refused() {
    this.#draft = { words: null, key: null };
  }

  stop() {
    this.actions.stop();
  }
}

// crypto.randomUUID is there on secure origins only; a plain http address in a home network is none
function newKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
