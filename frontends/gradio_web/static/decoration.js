// What is added to the rows that a Chatbot has drawn: cards, names of images, bars, the line of the memory.
import { drawBar } from "./bars.js";
import { cardOf } from "./cards.js";
import { h } from "./dom.js";
import { isMedia } from "./rows.js";

/**
 * Add to the rows of `log` what belongs to each; `shown` says what each shows (see rows.js). The Chatbot uses
 * rows again for other messages, so each is looked at; what is right is left alone. `fold` null: without bars.
 */
export function decorate(log, shown, fileAddress, fold = null, actions = null) {
  const rows = log.querySelectorAll(".message-row");
  if (rows.length !== shown.length) return; // the Chatbot has not drawn them yet: there will be another call
  const memory = fold?.memoryFrom() ?? null;
  rows.forEach((row, index) => {
    const { message, part } = shown[index];
    set(row, "message", message.id);
    set(row, "role", message.role);
    set(row, "shows", kindOf(message, part, actions));
    // The Chatbot names what has no role, which only something with one may have.
    row.querySelector("[data-testid][aria-label]:not([role])")?.setAttribute("role", "group");
    drawCard(row, shown[index], fileAddress);
    nameMedia(row, part);
    nameStep(row);
    nameCode(row);
    turnLists(row);
    drawMemory(row, message.id === memory && shown[index - 1]?.message !== message);
    if (fold && shown[index + 1]?.message !== message) drawBar(row, message, fold, actions);
    else row.querySelector(":scope > .cc-bar")?.remove();
  });
}

function set(row, name, value) {
  if (row.dataset[name] !== value) row.dataset[name] = value; // each change would call us again
}

// What stands in a row instead of what the Chatbot has drawn; empty: nothing does.
function kindOf(message, part, actions) {
  if (part === null) return "nothing"; // an answer that ended without a word
  if (isCard(part)) return "card";
  return part.type === "text" && actions?.panels.kindOf(message) === "edit" ? "editor" : "";
}

const isCard = (part) => part?.type === "missing_file" || (part?.type === "file" && !isMedia(part));

function drawCard(row, { message, part, index }, fileAddress) {
  const old = row.querySelector(":scope > .cc-card");
  const state = isCard(part) ? `${message.id}.${index}` : "";
  if ((old?.dataset.state ?? "") === state) return;
  old?.remove();
  if (!state) return;
  const card = cardOf(part, fileAddress(message.id, index));
  card.dataset.state = state;
  row.querySelector(":scope > .flex-wrap").after(card);
}

// Gradio gives images no text in their place.
function nameMedia(row, part) {
  if (!isMedia(part)) return;
  const { name } = part.attachment;
  for (const image of row.querySelectorAll(".image-frame img")) {
    if (image.alt !== name) image.alt = name;
  }
  for (const player of row.querySelectorAll("video, audio")) {
    if (player.ariaLabel !== name) player.ariaLabel = name;
  }
}

// Gradio makes a step's title a button, with a button in it that has no name; and says of neither what is open.
function nameStep(row) {
  const title = row.querySelector(".thought-group > .title");
  if (!title) return;
  const arrow = title.querySelector(".arrow");
  if (arrow && !arrow.inert) arrow.inert = true;
  const isOpen = String(Boolean(title.nextElementSibling));
  if (title.ariaExpanded !== isOpen) title.ariaExpanded = isOpen;
}

// The strip above a block of code shows it (messages.css).
function nameCode(row) {
  for (const code of row.querySelectorAll(".code_wrap:not([data-language]) code[class*=language-]")) {
    code.closest(".code_wrap").dataset.language = /language-(\S*)/.exec(code.className)[1];
  }
}

// Paragraphs go the way of their first letter by CSS (messages.css); a list's marks need to be told.
function turnLists(row) {
  for (const list of row.querySelectorAll(".prose :is(ul, ol):not([dir])")) list.dir = "auto";
}

const MEMORY = "The model’s memory begins here";

function drawMemory(row, isHere) {
  const old = row.querySelector(":scope > .cc-memory");
  if (isHere && !old) row.prepend(h("div", { class: "cc-memory", role: "separator", "aria-label": MEMORY }, MEMORY));
  else if (!isHere) old?.remove();
}
