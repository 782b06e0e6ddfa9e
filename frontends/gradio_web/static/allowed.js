// Which files may be sent, said before anything is uploaded. The server looks at their content and decides.
import { sizeOf } from "./cards.js";
import { upright } from "./harmless.js";

const MEDIA = /^(image|audio|video|font)\//;
const WORDS = { "image/*": "images", "audio/*": "sound", "video/*": "video", "text/*": "text", "application/pdf": "PDF" };

/** In a sentence; `limits` as the server has them (`media_types` null: all). */
export function allowedFiles({ files_per_message, file_bytes, media_types }) {
  if (media_types?.length === 0) return "No files can be sent here.";
  const bounds = `Up to ${files_per_message} files, each of ${sizeOf(file_bytes)} at most`;
  return media_types ? `${bounds}: ${kinds(media_types)}.` : `${bounds}.`;
}

/** Why these can't be sent together with `held` others; null: they can. */
export function problemOf(files, held, { files_per_message, file_bytes, media_types }) {
  const count = files.length + held;
  if (count > files_per_message) return `A message takes ${files_per_message} files at most; these would be ${count}.`;
  const wrong = files.find((file) => media_types && !mayBe(file.type, media_types));
  if (wrong) {
    const can = media_types.length ? `files here are ${kinds(media_types)}` : "no files can be sent here";
    return `“${upright(wrong.name)}” can't be sent: ${can}.`;
  }
  const large = files.find((file) => file.size > file_bytes);
  return large
    ? `“${upright(large.name)}” is too large: ${sizeOf(large.size)}, where a file may have ${sizeOf(file_bytes)}.`
    : null;
}

/** Whether a file of this type is among them. */
export const isAllowed = (type, media_types) =>
  !media_types || media_types.some((one) => one === type || (one.endsWith("/*") && type.startsWith(one.slice(0, -1))));

// A browser goes by the name, and calls texts and documents as its system does: only of media it can be sure.
function mayBe(type, media_types) {
  if (!media_types.length) return false;
  if (!type || isAllowed(type, media_types)) return true;
  if (media_types.every((one) => MEDIA.test(one))) return false;
  return !MEDIA.test(type) || type === "image/svg+xml"; // which is a text
}

function kinds(media_types) {
  const words = media_types.map((one) => WORDS[one] ?? one);
  return words.length > 1 ? `${words.slice(0, -1).join(", ")} and ${words.at(-1)}` : words[0];
}
