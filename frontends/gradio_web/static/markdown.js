// What is given to the Chatbot's Markdown: what it does not know in other words, what it could not bear as code.

// From each mark it looks for the one that belongs to it: 2,000 in a paragraph take half a second, 20,000 minutes,
// again with each piece of the answer. Lines (but those of code) cost their square too: 5,000 half a second, 30,000
// a quarter of a minute. Nobody writes that, but models that have lost their way do, and logs that are brought along.
const [MOST_MARKS, MOST_LINES] = [2000, 5000];
const MARKS = /[*_~\\$[]/g;
const NESTED = /^(?:[ \t>]|[-*+] |\d+[.)] ){200,}/m; // beyond some thousand nothing would be shown at all
const BEGINNING = /^\s*(?:[-*+]\s|\d+[.)]\s|#{1,6}\s|\|)/; // of what is no part of the paragraph above it
const FENCE = /^ {0,3}(?:(`{3,})[^`]*|(~{3,}).*)$/;

// Formulas between single dollars, which many models write and the Chatbot does not know (it would take prices for
// formulas). As Pandoc has it (its extension tex_math_dollars): no blank inside of the dollars, no digit behind them;
// nor a word, other than the end of one ($n$th), for what stands between two prices or variables is none ($5/$a).
// Code, addresses, tags and other formulas are passed over.
const CODE = String.raw`(?<=^|\n)[ \t>]*(?:[-*+] |\d+[.)] )?[ \t]*(?<fence>~{3,}|${"`{3,}"})[\s\S]*?(?:\n[ \t>]*\k<fence>|$)`;
const SPAN = "(?<!`)(?<ticks>`+)(?!`)(?:[^\\n]|\\n(?![ \\t]*\\n)){1,2000}?(?<!`)\\k<ticks>(?!`)"; // no span is longer
const LINE = String.raw`(?![ \t]|[-*+] |\d+[.)] )[^\n]+\n`; // of no list: below an item it is a paragraph
const INDENTED = String.raw`(?: {4}|\t)(?<=(?:^|(?<=^|\n[ \t]*\n)(?:${LINE})+[ \t]*\n)(?: {4}|\t))[^\n]*(?:\n(?: {4}|\t)[^\n]*)*`;
const ADDRESS = String.raw`\]\([^)\s]{0,2000}\)|https?:\/\/[^\s<>\u3000-\u303f\uff00-\uffef]*`;
const ATTRIBUTE = String.raw`\s+[a-zA-Z_:][\w:.-]*(?:=(?:"[^"\n]*"|'[^'\n]*'|[^\s"'=<>]+))?`;
const TAGS = String.raw`<(?<tag>pre|code)\b[\s\S]{0,10000}?<\/\k<tag>>|<\/?[a-zA-Z][\w-]*(?:${ATTRIBUTE})*\s*\/?>`;
const OTHER = String.raw`\$\$[\s\S]*?\$\$|\\[\s\S]`;
const END = String.raw`\$(?:(?![\w$])|(?=(?:th|st|nd|rd|s|te[nrs]?)\b))`;
const FORMULA = String.raw`(?<![\w$])\$(?=\S)(?<formula>(?:[^$\n\\${"`"}]|\\[^\n])+)(?<=[^\s/:,(–-])${END}`;
const DOLLARS = new RegExp([CODE, SPAN, INDENTED, ADDRESS, TAGS, OTHER, FORMULA].join("|"), "g");

/** `text` as the Chatbot's Markdown; where that is more than can be drawn, as it was written. */
export function markdownOf(text) {
  if (isTooMuch(text)) return fenced(text);
  return text.replace(DOLLARS, (all, ...given) => {
    const { formula } = given.at(-1);
    return formula === undefined ? all : `\\(${formula}\\)`;
  });
}

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
