// Messages as the values that Gradio's Chatbot draws: one row for each part that can be seen.

/**
 * The rows of `messages` and, for each row, the message it belongs to. Nothing postprocesses what is set in
 * the browser, so rows are in the form that the Chatbot has after its own normalisation.
 */
export function rowsOf(messages, fileAddress) {
  const rows = [];
  const owners = [];
  for (const message of messages) {
    if (message.role === "system") continue;
    for (const row of rowsOfMessage(message, fileAddress)) {
      rows.push({ role: message.role === "user" ? "user" : "assistant", options: null, ...row });
      owners.push(message);
    }
  }
  return { rows, owners };
}

function rowsOfMessage(message, fileAddress) {
  const results = new Map();
  for (const part of message.parts) {
    if (part.type === "tool_result") results.set(part.call_id, part);
  }
  const isRunning = message.status === "running";
  const rows = message.parts.map((part, index) => {
    switch (part.type) {
      case "text":
        return part.text && text(part.text);
      case "reasoning":
        return thought("Reasoning", part.text, isRunning && index === message.parts.length - 1);
      case "tool_call":
        return toolStep(part, results.get(part.call_id), isRunning);
      case "file":
        return file(part.attachment, fileAddress(message.id, index));
      default:
        return null; // a tool's result is drawn with its call
    }
  });
  const seen = rows.filter(Boolean);
  // An answer that ended without a word still says why, below its row.
  return seen.length || message.role === "user" || message.ended_at === null ? seen : [text("")];
}

const text = (words) => ({ metadata: null, content: [{ type: "text", text: words }] });

const thought = (title, words, pending) => ({
  metadata: { title, status: pending ? "pending" : "done" },
  content: [{ type: "text", text: words }],
});

function toolStep(call, result, running) {
  const title = `${result?.is_error ? "Failed: " : ""}${call.name}`;
  const words = [fenced(call.arguments, "json"), result ? fenced(result.output, "") : ""].join("\n");
  return thought(title, words, running && !result);
}

function fenced(words, language) {
  const longest = Math.max(2, ...(words.match(/`+/g) ?? []).map((run) => run.length));
  const fence = "`".repeat(longest + 1);
  return `${fence}${language}\n${words}\n${fence}\n`;
}

function file(attachment, url) {
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
