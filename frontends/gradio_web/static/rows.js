// Messages as the values that Gradio's Chatbot draws: one row for each part that can be seen.
import { fenced, markdownOf } from "./markdown.js";

const SHOWN_IMAGES = /^image\/(png|jpeg|gif|webp|avif|bmp|x-icon|vnd\.microsoft\.icon)$/;

/**
 * The rows of `messages` and, for each row, what it shows: `{message, part, index}`, with the part's place in
 * the message. Nothing postprocesses what is set in the browser, so rows are in the form that the Chatbot has
 * after its own normalisation.
 */
export function rowsOf(messages, fileAddress) {
  const results = resultsOf(messages);
  const rows = [];
  const shown = [];
  for (const message of messages) {
    if (message.hidden) continue;
    for (const { row, part, index } of rowsOfMessage(message, results, fileAddress)) {
      rows.push({ role: message.role === "user" ? "user" : "assistant", options: null, ...row });
      shown.push({ message, part, index });
    }
  }
  return { rows, shown };
}

/** Whether it is shown as what it is; anything else is a card with its name. */
export function isMedia(part) {
  if (part?.type !== "file") return false;
  const type = part.attachment.media_type;
  if (/^(audio|video)\//.test(type)) return document.createElement(type.slice(0, 5)).canPlayType(type) !== "";
  return SHOWN_IMAGES.test(type);
}

// A tool's result is drawn with its call, which may be in another message of an import.
function resultsOf(messages) {
  const results = new Map();
  const calls = new Set();
  for (const { parts } of messages) {
    for (const part of parts) {
      if (part.type === "tool_call") calls.add(part.call_id);
      if (part.type === "tool_result" && calls.has(part.call_id)) results.set(part.call_id, part);
    }
  }
  return results;
}

function rowsOfMessage(message, results, fileAddress) {
  const isRunning = message.status === "running";
  const seen = inOrder(message)
    .map(([part, index]) => {
      const pending = isRunning && index === message.parts.length - 1;
      return { row: rowOf(message, part, results, pending, () => fileAddress(message.id, index)), part, index };
    })
    .filter(({ row }) => row);
  // An answer that ended without a word still says why, below its row.
  if (seen.length || message.role !== "assistant" || message.ended_at === null) return seen;
  return [{ row: text(""), part: null, index: 0 }];
}

// Files that came with a question stand above its words, so that these are next to the answer.
function inOrder(message) {
  const parts = message.parts.map((part, index) => [part, index]);
  if (message.role !== "user") return parts;
  const isWords = ([part]) => part.type === "text";
  return [...parts.filter((part) => !isWords(part)), ...parts.filter(isWords)];
}

function rowOf(message, part, results, pending, address) {
  switch (part.type) {
    case "text":
      if (!part.text) return null;
      if (message.role === "system") return thought("System", markdownOf(part.text), false);
      if (message.role === "tool") return thought("Tool", markdownOf(part.text), false);
      return text(markdownOf(part.text));
    case "reasoning":
      return thought("Reasoning", markdownOf(part.text), pending);
    case "tool_call":
      return toolStep(part, results.get(part.call_id), message.status === "running");
    case "tool_result":
      return results.get(part.call_id) === part ? null : lostResult(part);
    case "file":
      return isMedia(part) ? media(part.attachment, address()) : text("");
    case "missing_file":
      return text("");
    default:
      return null; // a part that this page is too old for
  }
}

const text = (words) => ({ metadata: null, content: [{ type: "text", text: words }] });

const thought = (title, words, pending) => ({
  metadata: { title, status: pending ? "pending" : "done" },
  content: [{ type: "text", text: words }],
});

function toolStep(call, result, running) {
  const title = `${result?.is_error ? "Failed: " : ""}${call.name}`;
  const words = [fenced(call.arguments, "json"), result ? fenced(result.output) : ""].join("\n");
  return thought(title, words, running && !result);
}

const lostResult = (result) =>
  thought(result.is_error ? "Failed: tool" : "Tool", fenced(result.output), false);

function media(attachment, url) {
  return {
    metadata: null,
    content: [
      {
        type: "file",
        alt_text: attachment.name,
        file: {
          path: attachment.name,
          url,
          orig_name: attachment.name,
          mime_type: attachment.media_type,
          size: attachment.size_bytes,
          meta: { _type: "gradio.FileData" },
        },
      },
    ],
  };
}
