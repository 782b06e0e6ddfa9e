// What is given to the Chatbot's Markdown, and what it could not bear.

// From each mark it looks for the one that belongs to it: 2,000 in a paragraph take half a second, 20,000 minutes,
// again with each piece of the answer. Lines (but those of code) cost their square too: 5,000 half a second, 30,000
// a quarter of a minute. Nobody writes that, but models that have lost their way do, and logs that are brought along.
const [MOST_MARKS, MOST_LINES] = [2000, 5000];
const MARKS = /[*_~\\$[]/g;
const NESTED = /^(?:[ \t>]|[-*+] |\d+[.)] ){200,}/m; // beyond some thousand nothing would be shown at all
const BEGINNING = /^\s*(?:[-*+]\s|\d+[.)]\s|#{1,6}\s|\|)/; // of what is no part of the paragraph above it
const FENCE = /^ {0,3}(?:(`{3,})[^`]*|(~{3,}).*)$/;

/** `text` as Markdown; where that is more than can be drawn, as it was written. */
export const bearable = (text) => (isTooMuch(text) ? fenced(text) : text);

/** A block of code with these `words`. */
export function fenced(words, language = "") {
  let longest = 2;
  for (const [run] of words.matchAll(/`+/g)) longest = Math.max(longest, run.length);
  const fence = "`".repeat(longest + 1);
  return `${fence}${language}\n${words}\n${fence}\n`;
}

function isTooMuch(text) {
  if (NESTED.test(text)) return true;
  if (text.length <= MOST_MARKS) return false;
  const found = paragraphs(text);
  const lines = found.reduce((sum, paragraph) => sum + paragraph.length, 0);
  return lines > MOST_LINES || found.some((paragraph) => marksIn(paragraph) > MOST_MARKS);
}

const marksIn = (lines) => lines.reduce((sum, line) => sum + (line.match(MARKS)?.length ?? 0), 0);

// Lists of their lines; roughly, and without blocks of code, in which marks are none.
function paragraphs(text) {
  const found = [[]];
  let fence = null;
  for (const line of text.split(/\r\n?|\n/)) {
    const [, ticks, waves] = FENCE.exec(line) ?? [];
    const run = ticks ?? waves ?? "";
    if (fence) {
      if (run.startsWith(fence) && line.trim() === run) fence = null;
    } else if (run) {
      fence = run;
      found.push([]);
    } else {
      if (!line.trim() || BEGINNING.test(line)) found.push([]);
      found.at(-1).push(line);
    }
  }
  return found;
}
