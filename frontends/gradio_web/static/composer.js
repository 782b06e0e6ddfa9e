// The composer's part in the page: what is sent where, under which key, which button is shown, and drafts.
import { isAllowed } from "./allowed.js";
import { Attachments } from "./attachments.js";
import { h } from "./dom.js";
import { hasFiles, keepDraft, keepFiles, readDraft, readFiles, setOwner, sorted } from "./drafts.js";
import { BOX, focusBox } from "./focus.js";
import { upright } from "./harmless.js";
import { Recorder } from "./recorder.js";

const NOTHING = { words: null, text: "", paths: [], key: null, conversation: null };

/** Gradio's MultimodalTextbox draws it; its listeners, bound in composer.py, call these methods. */
export class Composer {
  #sending = NOTHING;
  #next = null; // what stood in the box when that was wanted to go as well
  #isBusy = false;
  #conversation = undefined; // the one whose draft is shown
  #fill = null; // a value that is to be drawn
  #files = []; // as Gradio holds them
  #recorder;
  #kept = new Map(); // files of conversations that were left
  #restores = false; // files that a page before this one had are being asked for
  #asks = false; // whether the server still has the files that are to be sent

  /**
   * `actions`: limits, draw() has Gradio ask for `value`, conversation() is the one shown, settings() those
   * of a new one, sending(), sent(id), stored(message),
   * stop(), refuse(sentence), say(words).
   */
  constructor(actions) {
    this.actions = actions;
    this.isConnected = true;
    this.attachments = new Attachments(actions);
    const canRecord = Recorder.isPossible && isAllowed("audio/wav", actions.limits.media_types);
    this.#recorder = canRecord
      ? new Recorder({ ...actions, add: (file) => this.attachments.add([file]) })
      : null;
    const sends = ({ key, shiftKey, isComposing }) => key === "Enter" && !shiftKey && !isComposing;
    addEventListener("keydown", (event) => sends(event) && this.#hold(event), true);
    addEventListener("click", (event) => this.#hold(event), true);
    addEventListener("input", (event) => event.target.matches?.(BOX) && this.#typed(event.target.value), true);
    const box = document.getElementById("cc-box");
    new MutationObserver(() => this.#complete()).observe(box, { childList: true, subtree: true });
    this.#complete();
  }

  /** What Gradio's composer lacks: names of the files, a microphone, what may be sent. */
  #complete() {
    const box = document.getElementById("cc-box");
    if (this.#recorder && !box.contains(this.#recorder.button)) {
      box.querySelector("textarea").closest(".input-row, .input-wrapper").append(this.#recorder.button);
    }
    this.attachments.tell(box);
    const area = box.querySelector("textarea");
    if (!area.ariaLabel) area.ariaLabel = "Your message";
    box.querySelectorAll(".thumbnail-wrapper").forEach((wrapper, index) => this.#name(wrapper, index));
  }

  #name(wrapper, index) {
    const name = this.#files[index]?.orig_name ?? "";
    if (!name || wrapper.dataset.name === name) return;
    wrapper.dataset.name = name;
    wrapper.title = name;
    wrapper.role = "group"; // Gradio says an item of a list, but of none
    wrapper.setAttribute("aria-label", name);
    wrapper.querySelector(".cc-file-name")?.remove();
    if (!wrapper.querySelector("img")) wrapper.append(h("span", { class: "cc-file-name" }, name));
  }

  /**
   * Enter, or the button. Without a server nothing is sent: Gradio would empty the box all the same, and the
   * words were lost. Nor with files that the server has no more: Gradio would fail in words of its own.
   */
  #hold(event) {
    const sends = event.type === "keydown" ? BOX : "#cc-box .submit-button";
    if (!event.target.closest?.(sends)) return;
    const problem = this.#problem();
    this.#next = !problem && this.#hasMore() ? document.querySelector(BOX).value : null;
    if (!problem && !this.#files.length) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    if (problem) this.actions.refuse(problem);
    else if (!this.#asks) this.#sendWithFiles();
  }

  /** Whether something is in the box beside the message that is on its way: Gradio takes no notice then. */
  #hasMore() {
    const { text, paths } = this.#sending;
    const isNew = document.querySelector(BOX).value !== text || this.#files.some(({ path }) => !paths.includes(path));
    return this.#sending !== NOTHING && isNew;
  }

  /** Why nothing can be sent now; null: it can. */
  #problem() {
    if (!this.isConnected) return "The server can't be reached; your message stays here.";
    const length = document.querySelector(BOX).value.length;
    const { text_chars } = this.actions.limits;
    if (length <= text_chars) return null; // in units: never fewer than the code points that the server counts
    const [given, most] = [length, text_chars].map((number) => number.toLocaleString());
    return `The message is too long: ${given} characters, where ${most} are allowed.`;
  }

  /** A server that was started anew has not what was uploaded to the one before. */
  async #sendWithFiles() {
    const conversation = this.#conversation;
    this.#asks = true;
    const { files, lost } = await sorted(this.#files);
    this.#asks = false;
    if (conversation !== this.#conversation) return;
    const problem = this.#problem();
    if (problem) return this.actions.refuse(problem);
    if (lost.length) return this.#lose(files, lost);
    this.#enter();
  }

  #enter() {
    const enter = { key: "Enter", bubbles: true, cancelable: true };
    document.querySelector(BOX).dispatchEvent(new KeyboardEvent("keypress", enter)); // which Gradio waits for
  }

  /** Without those that the server has lost the message can be sent: the next time, and by the person. */
  #lose(files, lost) {
    keepFiles(this.#conversation, files);
    const them = lost.length > 1 ? "them" : "it";
    this.actions.refuse(`The server has not kept ${lost.map(quoted).join(", ")}: choose ${them} again.`);
    this.#redraw(files);
  }

  #redraw(files) {
    this.#fill = { text: document.querySelector(BOX).value, files };
    this.actions.draw();
  }

  #typed(text) {
    // before that it is not known whose and where it is: `show` keeps it
    if (this.#conversation !== undefined) keepDraft(this.#conversation, text);
  }

  /** Gradio holds another value: files have come or gone. */
  changed(value) {
    this.#files = value?.files ?? [];
    if (this.#conversation !== undefined && !this.#restores) keepFiles(this.#conversation, this.#files);
    this.#complete();
  }

  /** Have the draft that `user` has for this conversation in the box, instead of that of the one before. */
  show(conversation, user) {
    setOwner(user);
    if (conversation === this.#conversation) return;
    const isFirst = this.#conversation === undefined;
    if (!isFirst && !this.#restores) this.#kept.set(this.#conversation, this.#files);
    this.#conversation = conversation;
    this.#restores = !this.#kept.has(conversation) && hasFiles(conversation);
    if (this.#restores) this.#restore(conversation);
    const [text, files] = [readDraft(conversation), this.#kept.get(conversation) ?? []];
    const area = document.querySelector(BOX);
    if (isFirst && area.value) return keepDraft(conversation, area.value); // typed before the page was ready
    if (text === area.value && !files.length && !this.#files.length) return;
    this.#fill = { text, files };
    this.actions.draw();
  }

  /** Files of a draft that an earlier page has left. */
  async #restore(conversation) {
    const { files, lost } = await readFiles(conversation);
    if (conversation !== this.#conversation) return;
    this.#restores = false;
    const all = [...files, ...this.#files];
    if (lost.length) return this.#lose(all, lost);
    keepFiles(conversation, all);
    if (files.length) this.#redraw(all);
  }

  /** Have this text in the box, to be sent or changed. */
  fill(text) {
    this.#fill = { text, files: this.#files };
    this.#typed(text);
    this.actions.draw();
    focusBox();
  }

  /** Whether an answer runs in the conversation that is shown. */
  setBusy(isBusy) {
    if (isBusy === this.#isBusy) return;
    this.#isBusy = isBusy;
    this.actions.draw();
  }

  /** The button stops while an answer runs, else it sends. (Enter always sends: a question may wait.) */
  value() {
    const fill = this.#fill ? { value: this.#fill } : {};
    if (this.#fill) this.#files = this.#fill.files; // Gradio does not always say so
    this.#fill = null;
    return { __type__: "update", submit_btn: !this.#isBusy, stop_btn: this.#isBusy, ...fill };
  }

  /** Where a message goes. The same words sent again after a lost reply have the same key: stored once. */
  target(written) {
    const conversation = this.actions.conversation();
    const settings = conversation ? {} : this.actions.settings();
    const { text } = written;
    const paths = written.files.map((file) => file.path);
    const words = JSON.stringify([conversation, settings, text, paths]);
    this.#next = null;
    if (words !== this.#sending.words) this.#sending = { words, text, paths, key: newKey(), conversation };
    this.actions.sending();
    const names = written.files.map((file) => file.orig_name);
    return { conversation, settings, key: this.#sending.key, names };
  }

  /** The message was stored; gives the composer's new value: empty, but for what has come meanwhile. */
  sent(target) {
    const { text, paths, conversation } = this.#sending;
    this.refused();
    if (target.message) {
      this.actions.stored({ conversation_id: target.conversation, message_id: target.message, text });
    }
    const isShown = conversation === this.#conversation;
    const typed = isShown ? document.querySelector(BOX).value : readDraft(conversation);
    const rest = typed === text ? "" : typed;
    const held = isShown ? this.#files : (this.#kept.get(conversation) ?? []);
    const files = held.filter(({ path }) => !paths.includes(path));
    if (!isShown) {
      this.#keep(conversation, rest, files); // what has come since stays where it was written
      return { __type__: "update" };
    }
    this.#keep(conversation, "", []);
    this.#keep(target.conversation, rest, files);
    this.#files = files;
    this.#conversation = target.conversation; // if it was new, the box stays as it is
    if (conversation === null) this.actions.sent(target.conversation);
    if (typed === this.#next) setTimeout(() => requestAnimationFrame(() => this.#sendWithFiles())); // once the box has it
    return { __type__: "update", value: { text: rest, files } };
  }

  #keep(conversation, text, files) {
    keepDraft(conversation, text);
    keepFiles(conversation, files);
    if (files.length) this.#kept.set(conversation, files);
    else this.#kept.delete(conversation);
  }

  /** The server took nothing, or everything: the same words are a new message now. */
  refused() {
    this.#sending = NOTHING;
  }

  stop() {
    // The button is about to go.
    if (document.activeElement.matches("#cc-box .stop-button:focus-visible")) focusBox();
    this.actions.stop();
  }
}

const quoted = (name) => `“${upright(name)}”`;

// crypto.randomUUID is there on secure origins only; a plain http address in a home network is none
function newKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
