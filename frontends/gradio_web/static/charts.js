// Plots of a number for each day, by series: SVG, in the page's own colours. What they say stands in a table, too.

const NAMESPACE = "http://www.w3.org/2000/svg";
const [WIDTH, HEIGHT, LEFT, BOTTOM, TOP] = [640, 170, 72, 24, 12];
const LINES = 3;

/** Bars upon each other. `series`: [{name, color, values}], values by day; `days`: Dates. */
export function stackedBars(label, days, series, format) {
  const sums = days.map((_, day) => series.reduce((sum, { values }) => sum + (values[day] ?? 0), 0));
  return plot(label, days, roundUp(Math.max(LINES, ...sums)), format, (x, y, step) => {
    const below = days.map(() => 0);
    return series.flatMap(({ name, color, values }) =>
      values.map((value, day) => {
        if (!value) return null;
        const [from, to] = [below[day], (below[day] += value)];
        const bar = { x: x(day) + step * 0.1, y: y(to), width: step * 0.8, height: y(from) - y(to), fill: color };
        return titled(svg("rect", bar), `${name}, ${dateOf(days[day])}: ${format(value)}`);
      }),
    );
  });
}

/** Points, joined where days follow each other; a day without a value has none. `highest`: of any, if known. */
export function lines(label, days, series, format, highest = null) {
  const most = Math.max(0, ...series.flatMap(({ values }) => values.filter((value) => value != null)));
  return plot(label, days, highest ?? roundUp(most || 1), format, (x, y, step) =>
    series.flatMap(({ name, color, values }) => {
      const at = (day) => [x(day) + step / 2, y(values[day])];
      const marks = values.map((value, day) => {
        if (value == null) return null;
        const [cx, cy] = at(day);
        const words = `${name}, ${dateOf(days[day])}: ${format(value)}`;
        return titled(svg("circle", { cx, cy, r: 3, fill: color }), words);
      });
      const joins = values.map((value, day) => {
        if (!day || value == null || values[day - 1] == null) return null;
        const [[x1, y1], [x2, y2]] = [at(day - 1), at(day)];
        return svg("line", { x1, y1, x2, y2, stroke: color, "stroke-width": 2 });
      });
      return [...joins, ...marks];
    }),
  );
}

function plot(label, days, top, format, draw) {
  const step = (WIDTH - LEFT) / days.length;
  const x = (day) => LEFT + day * step;
  const y = (value) => TOP + (HEIGHT - TOP - BOTTOM) * (1 - value / top);
  const root = svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": label, class: "cc-plot" });
  for (let line = 0; line <= LINES; line++) {
    const value = (top * line) / LINES;
    root.append(svg("line", { x1: LEFT, x2: WIDTH, y1: y(value), y2: y(value), class: "cc-plot-line" }));
    root.append(text(LEFT - 6, y(value) + 5, "end", format(value)));
  }
  root.append(text(LEFT, HEIGHT - 4, "start", dateOf(days[0])), text(WIDTH, HEIGHT - 4, "end", dateOf(days.at(-1))));
  root.append(...draw(x, y, step).filter(Boolean));
  return root;
}

/** The next of 3, 6, 15, 30, 60, …: a third of it is a round number. */
function roundUp(value) {
  const power = 10 ** Math.floor(Math.log10(value / 3));
  return [3, 6, 15, 30].map((times) => times * power).find((round) => round >= value);
}

function svg(tag, attributes) {
  const element = document.createElementNS(NAMESPACE, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return element;
}

function titled(element, words) {
  const title = svg("title", {});
  title.textContent = words;
  element.append(title);
  return element;
}

function text(x, y, anchor, words) {
  const element = svg("text", { x, y, "text-anchor": anchor });
  element.textContent = words;
  return element;
}

const dateOf = (day) => day.toLocaleDateString(undefined, { day: "numeric", month: "short" });
