// What the answers of one conversation are made with: a dialog that is opened from the header.
import { h, iconButton } from "./dom.js";

const NUMBERS = [
  { name: "temperature", label: "Temperature", hint: "0: always the likeliest word", min: 0, max: 2, step: 0.05 },
  { name: "max_tokens", label: "Maximum length", hint: "in tokens, about ¾ of a word each", min: 1, step: 1 },
];

export class Settings {
  #held = {}; // of the conversation that is shown
  #waiting = {}; // of the one that is not there yet: it takes them with its first message
  #isNew = true;
  #health = null;

  /**
   * `actions`: limits, health(), save(settings) stores them, changed() has the header drawn again,
   * failed(error) says it.
   */
  constructor(actions) {
    this.actions = actions;
    this.button = iconButton("settings", "Settings of this conversation", () => this.#open(), {
      "data-action": "settings",
      "aria-haspopup": "dialog",
    });
  }

  /** Settings of the conversation that is shown; null: it is not there yet. */
  show(settings) {
    this.#isNew = settings === null;
    this.#held = settings ?? this.#waiting;
    if (this.#held.responder && !this.#health) this.#load().then(this.actions.changed, () => {});
  }

  /** Another conversation is on its way: what is open is not its. */
  close() {
    document.querySelector("dialog.cc-settings")?.close();
  }

  /** What a new conversation is to be made with. */
  get waiting() {
    return this.#waiting;
  }

  /** They went with a first message. */
  taken() {
    this.#waiting = {};
  }

  /** What is going to answer, in words; null: what answers everywhere. */
  get answering() {
    const { responder } = this.#held;
    return responder ? (this.#health?.responders.find(({ name }) => name === responder)?.model ?? responder) : null;
  }

  async #load() {
    this.#health ??= await this.actions.health();
    return this.#health;
  }

  async #open() {
    let health;
    try {
      health = await this.#load();
    } catch (error) {
      return this.actions.failed(error);
    }
    const dialog = dialogOf(this.#held, health, this.actions.limits, (settings) => this.#save(settings));
    document.body.append(dialog);
    dialog.onclose = () => {
      dialog.remove();
      this.button.focus();
    };
    dialog.showModal();
  }

  async #save(settings) {
    if (this.#isNew) this.#held = this.#waiting = settings;
    else await this.actions.save(settings);
    this.actions.changed();
  }
}

/** `save(settings)` throws what went wrong. */
function dialogOf(held, health, limits, save) {
  const responder = chooser(held.responder ?? "", health);
  const prompt = h("textarea", { rows: 4, maxlength: limits.text_chars, placeholder: "None" });
  prompt.value = held.system_prompt ?? "";
  const numbers = NUMBERS.map(({ name, min, max, step }) =>
    h("input", { type: "number", min, max, step, value: held.parameters?.[name], placeholder: "The model’s own" }),
  );
  const problem = h("p", { class: "cc-settings-problem", role: "alert" });
  const button = (type, words, extra = {}) => h("button", { type, class: "cc-button", ...extra }, words);
  const form = h(
    "form",
    { novalidate: true }, // the browser would not take what a script has set between the steps of a number
    h("h2", { id: "cc-settings-title" }, "Settings of this conversation"),
    field("Answered by", responder),
    field("System prompt", prompt),
    ...NUMBERS.map(({ label, hint }, index) => field(label, numbers[index], hint)),
    problem,
    h(
      "div",
      { class: "cc-panel-buttons" },
      button("button", "Cancel", { onclick: () => dialog.close() }),
      button("submit", "Save", { class: "cc-button cc-main-button" }),
    ),
  );
  const dialog = h("dialog", { class: "cc-alone cc-dialog cc-settings", "aria-labelledby": "cc-settings-title" }, form);
  form.onsubmit = async (event) => {
    event.preventDefault();
    const wrong = numbers.find(isWrong);
    if (wrong) return wrong.reportValidity();
    const parameters = { ...held.parameters };
    NUMBERS.forEach(({ name }, index) => {
      if (numbers[index].value === "") delete parameters[name];
      else parameters[name] = numbers[index].valueAsNumber;
    });
    const given = { responder: responder.value || null, system_prompt: prompt.value.trim() || null, parameters };
    try {
      await save(given);
      dialog.close();
    } catch (error) {
      problem.textContent = error.message;
    }
  };
  return dialog;
}

/** Steps are for the arrows; only of whole numbers they are a rule. */
function isWrong({ validity, step }) {
  const { badInput, rangeUnderflow, rangeOverflow, stepMismatch } = validity;
  return badInput || rangeUnderflow || rangeOverflow || (stepMismatch && step === "1");
}

function chooser(chosen, { responders, default_responder }) {
  const label = ({ name, model }) => (model && model !== name ? `${name} (${model})` : name);
  const usual = responders.find(({ name }) => name === default_responder);
  const known = responders.map((responder) => [responder.name, label(responder)]);
  const gone = chosen && !responders.some(({ name }) => name === chosen) ? [[chosen, `${chosen} (not there)`]] : [];
  const options = [["", usual ? `The usual: ${label(usual)}` : "Nobody"], ...known, ...gone];
  return h("select", {}, ...options.map(([value, words]) => h("option", { value, selected: value === chosen }, words)));
}

function field(label, control, hint = null) {
  return h("label", {}, h("span", {}, label, hint ? h("small", {}, hint) : null), control);
}
