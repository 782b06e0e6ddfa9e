// Likes and dislikes: two buttons, a panel for a comment and reasons after the vote, and what was said of it.
import { h, iconButton } from "./dom.js";

const VOTES = [["like", "Good answer"], ["dislike", "Bad answer"]];
const REASONS = {
  like: ["Correct", "Easy to follow", "Complete", "Well written"],
  dislike: ["Not correct", "Not what I asked for", "Incomplete", "Too long", "Out of date", "Unsafe"],
};

/** The pressed one takes the vote back. */
export function voteButtons(message, feedback, actions) {
  return VOTES.map(([vote, label]) =>
    iconButton(vote, label, () => toggle(message, feedback, vote, actions), {
      "aria-pressed": String(feedback?.rating === vote),
      "data-action": vote,
    }),
  );
}

/** The line that shows what was written to a vote, with a way to change it; null: there is none. */
export function remarkOf(message, feedback, actions) {
  if (!feedback || (!feedback.comment && !feedback.reasons.length)) return null;
  const words = [...feedback.reasons, feedback.comment && `“${feedback.comment}”`].filter(Boolean).join(" · ");
  const change = () => openPanel(message, feedback, actions);
  const button = iconButton("rename", "Change the comment", change, { "data-action": "remark" });
  return h("div", { class: "cc-remark" }, h("span", {}, words), button);
}

async function toggle(message, feedback, vote, actions) {
  const isTakenBack = feedback?.rating === vote;
  actions.panels.close(message);
  const given = isTakenBack ? null : { rating: vote, comment: null, reasons: [] };
  if ((await actions.rate(message.id, given)) === undefined) return;
  if (!isTakenBack) return openPanel(message, given, actions);
  const hadWords = feedback.comment || feedback.reasons.length;
  if (hadWords) actions.toast("The vote was taken back.", "Undo", () => actions.rate(message.id, feedback));
}

function openPanel(message, feedback, actions) {
  actions.panels.open(message, "vote", (close) => panelOf(message, feedback, actions, close));
}

function panelOf(message, feedback, actions, close) {
  const chosen = new Set(feedback.reasons);
  const offered = [...new Set([...REASONS[feedback.rating], ...feedback.reasons])];
  const chips = offered.map((reason) => chipOf(reason, chosen));
  const label = "A comment (optional)";
  const comment = h("textarea", { rows: 2, maxlength: actions.limits.comment_chars, "aria-label": label, placeholder: label });
  comment.value = feedback.comment ?? "";
  const leave = () => {
    close();
    actions.focus(message, feedback.rating);
  };
  const save = async () => {
    const given = { rating: feedback.rating, comment: comment.value.trim() || null, reasons: [...chosen] };
    if ((await actions.rate(message.id, given)) !== undefined) leave();
  };
  const button = (words, onclick, extra = "") =>
    h("button", { type: "button", class: `cc-button ${extra}`, onclick }, words);
  const onkeydown = (event) => {
    if (event.key === "Escape") leave();
  };
  return h(
    "div",
    { class: "cc-panel", role: "group", "aria-label": "What was it?", onkeydown },
    h("div", { class: "cc-chips" }, ...chips),
    comment,
    h("div", { class: "cc-panel-buttons" }, button("Close", leave), button("Save", save, "cc-main-button")),
  );
}

function chipOf(reason, chosen) {
  const chip = h("button", { type: "button", class: "cc-chip", "aria-pressed": String(chosen.has(reason)) }, reason);
  chip.onclick = () => {
    if (!chosen.delete(reason)) chosen.add(reason);
    chip.setAttribute("aria-pressed", String(chosen.has(reason)));
  };
  return chip;
}
