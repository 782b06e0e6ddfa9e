// Numbers about answers and votes, as plots and as a table, and the rated messages to be saved.
import { lines, stackedBars } from "./charts.js";
import { h, iconButton } from "./dom.js";
import { upright } from "./harmless.js";

const SPANS = [7, 30, 90];
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

export class Statistics {
  /** `actions`: load(days), exportAddress(query), failed(error). */
  constructor(actions) {
    this.actions = actions;
    const onclick = () => this.#open();
    this.button = h("button", { type: "button", class: "cc-archive", "aria-haspopup": "dialog", onclick }, "Statistics");
  }

  async #open() {
    const body = h("div", { class: "cc-statistics-body" });
    const span = h("select", { "aria-label": "Period" }, ...SPANS.map((days) => h("option", { value: days }, `${days} days`)));
    span.value = "30";
    span.onchange = () => this.#fill(body, Number(span.value));
    const close = iconButton("close", "Close", () => dialog.close());
    const title = h("h2", { id: "cc-statistics-title" }, "Statistics");
    const dialog = h(
      "dialog",
      { class: "cc-alone cc-dialog cc-statistics", "aria-labelledby": title.id },
      h("div", { class: "cc-statistics-head" }, title, span, close),
      body,
    );
    dialog.onclose = () => {
      dialog.remove();
      this.button.focus();
    };
    if (!(await this.#fill(body, Number(span.value)))) return;
    document.body.append(dialog);
    dialog.showModal();
  }

  /** Whether there are numbers. */
  async #fill(body, span) {
    let rows;
    try {
      rows = await this.actions.load(span);
    } catch (error) {
      this.actions.failed(error);
      return false;
    }
    const days = daysUpToToday(span);
    const models = modelsOf(rows);
    body.replaceChildren(...(rows.length ? drawn(days, models) : [nothing(span)]), this.#exports());
    return true;
  }

  #exports() {
    const link = ([words, query]) =>
      h("li", {}, h("a", { href: this.actions.exportAddress(query), download: "" }, words));
    return h("section", {}, h("h3", {}, "Save what was rated"), h("ul", {}, ...EXPORTS.map(link)));
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
  const ratio = (above, below) => (row) => (row?.[below] ? row[above] / row[below] : null);
  const figure = (words, plot, series) => h("figure", {}, h("figcaption", {}, words, legendOf(series)), plot);
  const answers = by((row) => row?.answers ?? 0);
  const times = by(ratio("seconds", "complete"));
  const speeds = by(ratio("tokens", "token_seconds"));
  return [
    figure("Answers a day", stackedBars("Answers a day, by model", days, answers, whole), answers),
    figure("Votes a day", stackedBars("Votes a day", days, votes, whole), votes),
    figure("Time of an answer, on average", lines("Seconds an answer took, by model", days, times, seconds), times),
    figure("Tokens a second", lines("Tokens a second, by model", days, speeds, short), speeds),
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
  const heads = ["Model", "Answers", "Complete", "Likes", "Dislikes", "Share of likes", "Time", "Tokens/s"];
  const share = (part, all) => (all ? `${Math.round((100 * part) / all)} %` : "–");
  const row = ({ name, rows }) => {
    const sum = (field) => [...rows.values()].reduce((total, one) => total + one[field], 0);
    const [likes, dislikes, complete] = [sum("likes"), sum("dislikes"), sum("complete")];
    const cells = [
      whole(sum("answers")),
      share(complete, sum("answers")),
      whole(likes),
      whole(dislikes),
      share(likes, likes + dislikes),
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

/** Those that answered most first; all beyond the last colour share it. */
function modelsOf(rows) {
  const models = new Map();
  for (const row of rows) {
    const name = upright(row.model ?? "Without a name");
    if (!models.has(name)) models.set(name, { name, answers: 0, rows: new Map() });
    const model = models.get(name);
    model.answers += row.answers;
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
