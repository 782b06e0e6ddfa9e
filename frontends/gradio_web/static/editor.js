// A question being put in other words, in its place. Sending makes a sibling: the old wording stays.
import { h } from "./dom.js";
import { focusBox, isByKey } from "./focus.js";

/** The element; `close` takes it away. It stays, with the words, when they can't be sent. */
export function editorOf(message, actions, close) {
  const words = message.parts.filter((part) => part.type === "text").map((part) => part.text).join("");
  const area = h("textarea", { rows: 1, maxlength: actions.limits.text_chars, "aria-label": "The question" });
  area.value = words;
  const leave = () => {
    close();
    actions.focus(message, "edit");
  };
  const send = async (byKey) => {
    if (!area.value.trim() && message.parts.every((part) => part.type === "text")) return area.focus();
    sendButton.disabled = true;
    const sent = await actions.edit(message.id, area.value);
    sendButton.disabled = false;
    if (sent === undefined) return;
    close();
    if (byKey) focusBox();
  };
  const cancelButton = h("button", { type: "button", class: "cc-button", onclick: leave }, "Cancel");
  const onclick = (event) => send(isByKey(event));
  const sendButton = h("button", { type: "button", class: "cc-button cc-main-button", onclick }, "Send");
  const fit = () => {
    area.style.height = "auto";
    area.style.height = `${area.scrollHeight + 2}px`;
  };
  area.oninput = fit;
  area.onkeydown = (event) => {
    if (event.key === "Escape") leave();
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    send(true);
  };
  requestAnimationFrame(() => {
    fit();
    area.focus();
    area.setSelectionRange(area.value.length, area.value.length);
  });
  const buttons = h("div", { class: "cc-panel-buttons" }, cancelButton, sendButton);
  return h("div", { class: "cc-panel cc-editor", role: "group", "aria-label": "Edit the question" }, area, buttons);
}
