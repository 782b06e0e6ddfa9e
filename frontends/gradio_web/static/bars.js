// What stands below a message: how it ended, votes, copy, another answer, its siblings, model and time.
import { h, iconButton } from "./dom.js";

const ENDED = {
  stopped: "Stopped.",
  failed: "This answer failed.",
  interrupted: "This answer was interrupted.",
};

/**
 * Give the last row of each message its bar. `owners` has the message of each row of `log`, an element that a
 * Chatbot has drawn. Bars that are right already are left alone, so this may be called at any time.
 */
export function drawBars(log, owners, fold, actions) {
  const rows = log.querySelectorAll(".message-row");
  if (rows.length !== owners.length) return; // the Chatbot has not drawn them yet: there will be another call
  rows.forEach((row, index) => {
    const message = owners[index];
    const isLast = owners[index + 1] !== message;
    row.dataset.message = message.id;
    const old = row.querySelector(":scope > .cc-bar");
    if (!isLast) return old?.remove();
    const state = stateOf(message, fold);
    if (old?.dataset.state === state) return;
    const bar = barOf(message, fold, actions);
    bar.dataset.state = state;
    if (old) replaceKeepingFocus(old, bar);
    else row.append(bar);
  });
}

function stateOf(message, fold) {
  const siblings = fold.siblingsOf(message).length;
  return [message.id, message.seq, fold.ratingOf(message), siblings, fold.conversation.running].join();
}

function replaceKeepingFocus(old, bar) {
  const label = old.contains(document.activeElement) ? document.activeElement.dataset.action : null;
  old.replaceWith(bar);
  if (label) bar.querySelector(`[data-action="${label}"]`)?.focus();
}

function barOf(message, fold, actions) {
  const isAnswer = message.role === "assistant";
  const bar = h("div", { class: `cc-bar cc-bar-${isAnswer ? "answer" : "question"}` });
  if (isAnswer && ENDED[message.status]) bar.append(endingOf(message, fold, actions));
  const tools = h("div", { class: "cc-tools" });
  const siblings = fold.siblingsOf(message);
  if (siblings.length > 1) tools.append(siblingsOf(message, siblings, actions));
  tools.append(copyButton(message));
  if (isAnswer) {
    const rating = fold.ratingOf(message);
    for (const [vote, label] of [["like", "Good answer"], ["dislike", "Bad answer"]]) {
      tools.append(
        iconButton(vote, label, () => actions.rate(message.id, rating === vote ? null : vote), {
          "aria-pressed": String(rating === vote),
          "data-action": vote,
        }),
      );
    }
    tools.append(
      iconButton("regenerate", "Answer again", () => actions.regenerate(message.id), {
        "data-action": "regenerate",
        disabled: fold.conversation.running,
      }),
    );
  }
  tools.append(h("span", { class: "cc-facts" }, factsOf(message)));
  bar.append(tools);
  return bar;
}

function endingOf(message, fold, actions) {
  const ending = h("div", { class: `cc-ending cc-${message.status}` });
  ending.append(h("span", {}, message.reason || ENDED[message.status]));
  const disabled = fold.conversation.running;
  const button = (label, onclick) =>
    h("button", { type: "button", class: "cc-button", onclick, disabled }, label);
  if (message.parts.length && actions.canContinue(message)) {
    ending.append(button("Continue", () => actions.continue(message.id)));
  } else {
    ending.append(button("Retry", () => actions.regenerate(message.id)));
  }
  return ending;
}

function siblingsOf(message, ids, actions) {
  const place = ids.indexOf(message.id);
  const go = (name, label, target) =>
    iconButton(name, label, () => actions.moveHead(target), {
      "data-action": name,
      disabled: target === undefined,
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
    await navigator.clipboard.writeText(words);
    button.replaceWith(done);
    setTimeout(() => done.replaceWith(button), 1500);
  }, { "data-action": "copy" });
  const done = iconButton("done", "Copied", () => {});
  return button;
}

function factsOf(message) {
  const at = new Date(message.ended_at ?? message.created_at);
  const time = at.toLocaleString([], { dateStyle: "medium", timeStyle: "short" });
  return [message.model, time].filter(Boolean).join(" · ");
}
