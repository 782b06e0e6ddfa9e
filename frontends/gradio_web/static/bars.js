// What stands below a message: how it ended, its siblings, what can be done with it, model, time and tokens.
import { copyText } from "./clipboard.js";
import { h, iconButton } from "./dom.js";
import { editorOf } from "./editor.js";
import { focusBox, isByKey } from "./focus.js";
import { remarkOf, voteButtons } from "./votes.js";

const KINDS = { assistant: "answer", user: "question" };
const ENDED = {
  stopped: "Stopped.",
  failed: "This answer failed.",
  interrupted: "This answer was interrupted.",
};

/**
 * Give `row`, the last one of `message`, its bar. One that is right already is left alone, so this may be
 * called at any time.
 */
export function drawBar(row, message, fold, actions) {
  const old = row.querySelector(":scope > .cc-bar");
  const state = stateOf(message, fold, actions);
  if (old?.dataset.state === state) return;
  const bar = barOf(message, fold, actions);
  bar.dataset.state = state;
  const panel = actions.panels.of(message);
  if (panel) bar.append(panel);
  if (old) replaceKeepingFocus(old, bar);
  else row.append(bar);
}

function stateOf(message, fold, actions) {
  const feedback = fold.feedbackOf(message);
  const panel = actions.panels.kindOf(message);
  const isLast = message.role === "user" && message.id === fold.lastQuestion()?.id;
  const siblings = fold.siblingsOf(message).length;
  const { running } = fold.conversation;
  return JSON.stringify([message.id, message.seq, feedback, siblings, running, panel, isLast]);
}

function replaceKeepingFocus(old, bar) {
  const focused = old.contains(document.activeElement) ? document.activeElement : null;
  old.replaceWith(bar);
  if (!focused) return;
  if (bar.contains(focused)) focused.focus(); // in a panel, which was only moved
  else buttonLike(focused, bar)?.focus();
}

/** The same one; that of the other way where there is no further one on this. */
function buttonLike({ dataset }, bar) {
  const button = bar.querySelector(`[data-action="${dataset.action}"]`);
  return button?.disabled ? bar.querySelector(".cc-siblings button:enabled") : button;
}

function barOf(message, fold, actions) {
  const isAnswer = message.role === "assistant";
  const kind = KINDS[message.role] ?? "aside";
  const bar = h("div", { class: `cc-bar cc-bar-${kind}` });
  if (isAnswer && ENDED[message.status]) bar.append(endingOf(message, fold, actions));
  const siblings = fold.siblingsOf(message);
  const tools = h("div", { class: "cc-tools" });
  if (siblings.length > 1) tools.append(siblingsOf(message, siblings, fold, actions));
  if (isAnswer) tools.append(...answerTools(message, fold, actions));
  else if (kind === "question") tools.append(...questionTools(message, fold, actions));
  if (kind !== "aside") tools.append(h("span", { class: "cc-facts" }, factsOf(message)));
  if (tools.hasChildNodes()) bar.append(tools);
  const remark = isAnswer && remarkOf(message, fold.feedbackOf(message), actions);
  if (remark) bar.append(remark);
  return bar;
}

/** For what can't be done twice: the second click of a double click may come to another message's button, even. */
const once = (action) => (event) => event.detail < 2 && action();

/** For what begins an answer: the message with the button goes, and a keyboard goes on in the box. */
const begin = (action) => (event) => {
  once(action)(event);
  if (isByKey(event)) focusBox();
};

function answerTools(message, fold, actions) {
  const again = iconButton("regenerate", "Answer again", begin(() => actions.regenerate(message.id)), {
    "data-action": "regenerate",
    disabled: fold.conversation.running,
  });
  return [copyButton(message), ...voteButtons(message, fold.feedbackOf(message), actions), again];
}

function questionTools(message, fold, actions) {
  const disabled = fold.conversation.running;
  const edit = () => actions.panels.toggle(message, "edit", (close) => editorOf(message, actions, close));
  const tools = [
    copyButton(message),
    iconButton("rename", "Edit the question", edit, { "data-action": "edit", disabled }),
  ];
  if (message.id === fold.lastQuestion()?.id) {
    const undo = once(() => actions.undo(fold.conversation.head));
    const label = "Undo this exchange";
    tools.push(iconButton("undo", label, undo, { "data-action": "undo", disabled }));
  }
  return tools;
}

function endingOf(message, fold, actions) {
  const ending = h("div", { class: `cc-ending cc-${message.status}` });
  ending.append(h("span", {}, message.reason || ENDED[message.status]));
  const disabled = fold.conversation.running;
  const button = (label, action) =>
    h("button", { type: "button", class: "cc-button", onclick: begin(action), disabled, "data-action": label }, label);
  const canContinue = message.parts.length > 0 && actions.canContinue(message);
  if (canContinue) ending.append(button("Continue", () => actions.continue(message.id)));
  if (!canContinue || message.status === "failed") {
    ending.append(button("Retry", () => actions.regenerate(message.id)));
  }
  return ending;
}

function siblingsOf(message, ids, fold, actions) {
  const place = ids.indexOf(message.id);
  const go = (name, label, target) =>
    iconButton(name, label, () => actions.moveHead(target), {
      "data-action": name,
      disabled: target === undefined || fold.conversation.running,
    });
  return h(
    "span",
    { class: "cc-siblings" },
    go("older", "Previous version", ids[place - 1]),
    h("span", {}, `${place + 1}/${ids.length}`),
    go("newer", "Next version", ids[place + 1]),
  );
}

function copyButton(message) {
  const words = message.parts.filter((part) => part.type === "text").map((part) => part.text).join("");
  const button = iconButton("copy", "Copy", async () => {
    if (!(await copyText(words))) return;
    button.replaceWith(done);
    done.focus();
    setTimeout(() => {
      const hadFocus = done === document.activeElement;
      done.replaceWith(button);
      if (hadFocus) button.focus();
    }, 1500);
  }, { "data-action": "copy" });
  const done = iconButton("done", "Copied", () => {}, { "data-action": "copy" });
  return button;
}

function factsOf(message) {
  const at = new Date(message.ended_at ?? message.created_at);
  const time = at.toLocaleString([], { dateStyle: "medium", timeStyle: "short" });
  return [message.model, time, tokensOf(message.usage)].filter(Boolean).join(" · ");
}

function tokensOf(usage) {
  const { prompt_tokens, completion_tokens } = usage ?? {};
  const count = (number, one) => `${number.toLocaleString()} ${one}`;
  const said = completion_tokens == null ? null : count(completion_tokens, completion_tokens === 1 ? "token" : "tokens");
  const read = prompt_tokens == null ? null : `${count(prompt_tokens, "read")}`;
  return [said, read].filter(Boolean).join(", ");
}
