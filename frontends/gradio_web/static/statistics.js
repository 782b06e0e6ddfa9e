// Numbers about answers and votes, as plots and as a table, and the rated messages to be saved: a view of its own.
import { addressOf, conversationHere } from "./address.js";
import { ApiError } from "./api.js";
import { lines, stackedBars } from "./charts.js";
import { h } from "./dom.js";
import { upright } from "./harmless.js";

const SPANS = [7, 30, 90];
const DAYS = 30;
const COLORS = ["#2f6fdd", "#d9822b", "#3a9d6b", "#a05cc5", "#c0392b", "#7f8c8d"];
const EXPORTS = [
  ["Likes and dislikes, for KTO", { format: "kto" }],
  ["Pairs of a better and a worse answer, for DPO", { format: "dpo" }],
  ["Conversations with a liked answer, whole", { format: "chatcore", rating: "like" }],
  ["Conversations with a disliked answer, whole", { format: "chatcore", rating: "dislike" }],
];

const whole = (number) => Math.round(number).toLocaleString();
const short = (number) => number.toLocaleString(undefined, { maximumSignificantDigits: 2 });
const seconds = (number) => `${short(number)} s`;
const percent = (part) => `${Math.round(100 * part)} %`;

/** A view over the whole page, with an address of its own: `show` follows the address, `actions.go` changes it. */
export class Statistics {
  #dialog = null;
  #asked = 0; // numbers that come late for another period are dropped

  /**
   * `actions`: load(days), exportAddress(query), go(days) to the view (null: to the page without it),
   * turn(days) in place of where one is.
   */
  constructor(actions) {
    this.actions = actions;
    this.link = h("a", { class: "cc-archive", href: addressOf(null, DAYS) }, "Statistics");
    this.link.onclick = (event) => this.#follow(event, DAYS);
    this.span = h("select", { "aria-label": "Period" }, ...SPANS.map((days) => h("option", { value: days }, `${days} days`)));
    this.span.onchange = () => actions.turn(Number(this.span.value));
  }

  get isOpen() {
    return this.#dialog !== null;
  }

  /** Of how many days up to today; null: not at all. */
  show(days) {
    if (days === null) return this.#close();
    const span = SPANS.find((one) => one >= days) ?? SPANS.at(-1);
    this.span.value = String(span);
    this.#dialog ??= this.#open();
    this.#fill(span);
  }

  #open() {
    const title = h("h1", { id: "cc-statistics-title" }, "Statistics");
    const back = h("a", { class: "cc-button", href: addressOf(conversationHere()) }, "Back");
    back.onclick = (event) => this.#follow(event, null);
    this.body = h("div", { class: "cc-statistics-body", "aria-live": "polite" });
    const dialog = h(
      "dialog",
      { class: "cc-alone cc-statistics", "aria-labelledby": title.id },
      h("div", { class: "cc-statistics-page" }, h("div", { class: "cc-statistics-head" }, title, this.span, back), this.body),
    );
    dialog.onclose = () => dialog === this.#dialog && this.actions.go(null); // by the Escape key
    document.body.append(dialog);
    dialog.showModal();
    return dialog;
  }

  #close() {
    const dialog = this.#dialog;
    if (!dialog) return;
    this.#dialog = null;
    this.#asked++;
    dialog.close();
    dialog.remove();
    this.link.focus();
  }

  #follow(event, days) {
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.button) return; // the browser's: a new tab
    event.preventDefault();
    this.actions.go(days);
  }

  async #fill(span) {
    const asked = ++this.#asked;
    let found;
    try {
      const rows = await this.actions.load(span);
      found = rows.length ? drawn(daysUpToToday(span), modelsOf(rows)) : [nothing(span)];
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      const onclick = () => this.#fill(span);
      const again = h("button", { type: "button", class: "cc-button", onclick }, "Try again");
      found = [h("p", { role: "alert" }, error.message), again];
    }
    if (asked === this.#asked) this.body.replaceChildren(...found, this.#exports());
  }

  #exports() {
    const link = ([words, query]) =>
      h("li", {}, h("a", { href: this.actions.exportAddress(query), download: "" }, words));
    return h("section", {}, h("h2", {}, "Export rated messages"), h("ul", {}, ...EXPORTS.map(link)));
  }
}

const nothing = (span) => h("p", {}, `Nothing was answered here in the last ${span} days.`);

function drawn(days, models) {
  const by = (value) =>
    models.map(({ name, color, rows }) => ({ name, color, values: days.map((day) => value(rows.get(keyOf(day)))) }));
  const summed = (name, color, field) => ({
    name,
    color,
    values: days.map((day) => models.reduce((sum, { rows }) => sum + (rows.get(keyOf(day))?.[field] ?? 0), 0)),
  });
  const votes = [summed("Likes", "#3a9d6b", "likes"), summed("Dislikes", "#c0392b", "dislikes")];
  const ratio = (above, below) => (row) => (row && below(row) ? above(row) / below(row) : null);
  const figure = (words, plot, series) => h("figure", {}, h("figcaption", {}, words, legendOf(series)), plot);
  const answers = by((row) => (row ? given(row) : 0));
  const shares = by(ratio((row) => row.likes, (row) => row.likes + row.dislikes));
  const firsts = by((row) => row?.first_token_seconds ?? null);
  const times = by(ratio((row) => row.seconds, (row) => row.complete));
  const speeds = by(ratio((row) => row.tokens, (row) => row.token_seconds));
  return [
    h(
      "div",
      { class: "cc-figures" },
      figure("Answers a day", stackedBars("Answers a day, by model", days, answers, whole), answers),
      figure("Votes a day", stackedBars("Votes a day", days, votes, whole), votes),
      figure("Share of likes", lines("Share of likes, by model", days, shares, percent, 1), shares),
      figure("First token, median", lines("Seconds to the first token, by model", days, firsts, seconds), firsts),
      figure("Time of an answer, on average", lines("Seconds an answer took, by model", days, times, seconds), times),
      figure("Tokens a second", lines("Tokens a second, by model", days, speeds, short), speeds),
    ),
    tableOf(models),
  ];
}

function legendOf(series) {
  const swatch = ({ name, color }) => {
    const mark = h("i", { "aria-hidden": "true" });
    mark.style.background = color;
    return h("span", {}, mark, name);
  };
  return h("span", { class: "cc-legend" }, ...series.map(swatch));
}

function tableOf(models) {
  const heads = ["Model", "Answers", "Imported", "Complete", "Likes", "Dislikes", "Share of likes", "First token", "Time", "Tokens/s"];
  const share = (part, all) => (all ? percent(part / all) : "–");
  const row = ({ name, rows }) => {
    const sum = (field) => [...rows.values()].reduce((total, one) => total + one[field], 0);
    const [likes, dislikes, complete] = [sum("likes"), sum("dislikes"), sum("complete")];
    const cells = [
      whole(sum("answers")),
      whole(sum("imported")),
      share(complete, sum("answers")),
      whole(likes),
      whole(dislikes),
      share(likes, likes + dislikes),
      fromTo([...rows.values()].map((one) => one.first_token_seconds).filter((one) => one !== null)),
      complete ? seconds(sum("seconds") / complete) : "–",
      sum("token_seconds") ? short(sum("tokens") / sum("token_seconds")) : "–",
    ];
    return h("tr", {}, h("th", { scope: "row" }, name), ...cells.map((words) => h("td", {}, words)));
  };
  return h(
    "div",
    { class: "cc-statistics-table", role: "region", "aria-label": "By model", tabindex: "0" },
    h(
      "table",
      {},
      h("thead", {}, h("tr", {}, ...heads.map((words) => h("th", { scope: "col" }, words)))),
      h("tbody", {}, ...models.map(row)),
    ),
  );
}

/** The least and the most of the days' medians: these can't be put together to one. */
function fromTo(medians) {
  if (!medians.length) return "–";
  const [least, most] = [Math.min, Math.max].map((of) => seconds(of(...medians)));
  return least === most ? least : `${least} – ${most}`;
}

/** Given here, or elsewhere. */
const given = (row) => row.answers + row.imported;

/** Those that answered most first; all beyond the last colour share it. */
function modelsOf(rows) {
  const models = new Map();
  for (const row of rows) {
    const name = upright(row.model ?? "No model named");
    if (!models.has(name)) models.set(name, { name, answers: 0, rows: new Map() });
    const model = models.get(name);
    model.answers += given(row);
    model.rows.set(row.day, row);
  }
  const sorted = [...models.values()].sort((a, b) => b.answers - a.answers);
  sorted.forEach((model, index) => (model.color = COLORS[Math.min(index, COLORS.length - 1)]));
  return sorted;
}

function daysUpToToday(span) {
  const today = new Date();
  return Array.from({ length: span }, (_, ago) =>
    new Date(today.getFullYear(), today.getMonth(), today.getDate() - (span - 1 - ago)));
}

const two = (number) => String(number).padStart(2, "0");
const keyOf = (day) => `${day.getFullYear()}-${two(day.getMonth() + 1)}-${two(day.getDate())}`;
