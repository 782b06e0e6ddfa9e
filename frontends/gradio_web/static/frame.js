// What is drawn around the messages: header, empty state, the line below the last message, notices.
import { h, iconButton } from "./dom.js";
import { focusBox, isByKey, isOnButton } from "./focus.js";
import { isOpen } from "./fold.js";

/**
 * The element that one of the page's `gr.HTML` components gives us to fill; Gradio draws nothing into it. Where
 * the page lacks that piece, it is one that nobody sees.
 */
export const place = (name) => document.querySelector(`#cc-${name} .cc-place`) ?? h("div");

export class Frame {
  /**
   * `actions`: older() loads earlier messages, title(words) gives the tab its title, example(text) puts a
   * question into the composer, answering() says what answers, where it is not the usual; buttons of the header.
   */
  constructor(settings, actions) {
    this.settings = settings;
    this.actions = actions;
    this.words = settings.title;
    this.title = h("h1", { class: "cc-title" });
    this.model = h("span", { class: "cc-model" });
    this.top = place("top");
    this.tail = place("tail");
    this.notice = place("notice");
    this.spoken = h("div", { class: "cc-spoken", role: "status" });
    this.earlier = h(
      "button",
      { type: "button", class: "cc-button cc-earlier", onclick: actions.older },
      "Load earlier messages",
    );
    this.empty = h(
      "div",
      { class: "cc-empty" },
      h("h1", {}, "What can I help with?"),
      h("p", {}, settings.model ? `${settings.model} will answer.` : "Nothing is set up to answer."),
      settings.examples.length ? this.#examples(settings.examples) : null,
    );
    place("header").replaceChildren(
      iconButton("menu", "Show or hide the list of conversations", toggleSidebar, { "data-action": "menu" }),
      this.title,
      this.model,
      ...actions.buttons,
    );
    this.connection = h("span", { class: "cc-connection", role: "status" });
    this.activity = h("span", { class: "cc-connection" });
    this.notice.append(this.connection, this.activity, this.spoken);
    document.querySelector("#cc-backdrop .cc-place")?.addEventListener("click", closeSidebar);
  }

  #examples(texts) {
    const button = (text) =>
      h("button", { type: "button", class: "cc-example", onclick: () => this.actions.example(text) }, text);
    return h("div", { class: "cc-examples", role: "group", "aria-label": "Examples" }, ...texts.map(button));
  }

  /** Title, empty state and the way to older messages; `fold` null: a conversation that is not there yet. */
  draw(fold, isLoading) {
    const title = fold?.title() ?? null;
    this.title.textContent = title ?? "";
    this.title.hidden = !title;
    this.model.textContent = this.actions.answering() ?? this.settings.model ?? "";
    this.words = title ? `${title} · ${this.settings.title}` : this.settings.title;
    this.entitle();
    const isEmpty = !isLoading && !fold?.conversation.head;
    document.body.classList.toggle("cc-is-empty", isEmpty);
    this.top.replaceChildren(...(isEmpty ? [this.empty] : fold?.hasOlder ? [this.earlier] : []));
    this.drawTail(fold);
  }

  /** Give the tab its title. */
  entitle() {
    this.actions.title(this.words);
  }

  /** Shows that an answer is on its way as long as there is nothing of it to be seen. */
  drawTail(fold) {
    const open = (fold?.path() ?? []).filter((message) => message.role === "assistant" && isOpen(message));
    const waits = open.length > 0 && open[0].parts.length === 0;
    const state = open.length ? (waits ? "thinking" : open.length > 1 ? "queued" : "") : "";
    if (this.tail.dataset.state === state) return;
    this.tail.dataset.state = state;
    const label = { thinking: "Thinking", queued: "The next answer waits for this one" }[state];
    const dots = h("span", { class: "cc-dots", role: "img", "aria-label": label });
    this.tail.replaceChildren(...(state ? [dots] : []));
  }

  /** A line above the composer about the connection; empty: all is well. */
  sayConnection(words) {
    this.connection.textContent = words;
  }

  /** Likewise, about what the composer is doing. */
  sayActivity(words) {
    this.activity.textContent = words;
  }

  /** For those who listen: the end of an answer (the text itself is not read out as it streams). */
  speak(words) {
    this.spoken.textContent = words;
  }

  /** A short message, with one thing that can be done about it. */
  toast(words, action = null, onclick = null, durationMs = 6000) {
    const toast = h("div", { class: "cc-toast", role: "alert" }, h("span", {}, words));
    const close = () => toast.remove();
    document.querySelectorAll(".cc-toast").forEach((older) => older.remove());
    document.body.append(toast);
    if (action) {
      const both = (event) => {
        close();
        onclick();
        if (isByKey(event)) focusBox();
      };
      const button = h("button", { type: "button", class: "cc-button", onclick: both }, action);
      toast.append(button);
      // Whoever has no mouse would not get here before the time is over.
      if (document.activeElement === document.body || isOnButton()) button.focus();
    }
    // While it is focused it stays.
    setTimeout(() => {
      if (toast.contains(document.activeElement)) toast.addEventListener("focusout", close);
      else close();
    }, durationMs);
  }
}

// On a narrow screen the list lies over the page and is closed at first; on a wide one it stands beside it.
function toggleSidebar() {
  const isNarrow = document.getElementById("cc-shell").clientWidth <= 760; // as sidebar.css has it
  document.body.classList.toggle(isNarrow ? "cc-sidebar-open" : "cc-sidebar-closed");
}

export function closeSidebar() {
  document.body.classList.remove("cc-sidebar-open");
}
