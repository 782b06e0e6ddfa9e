// Where the reader is. The column is turned round (see style.css): its bottom is 0, and it sticks to that.

const MOST_FRAMES = 300; // in which the history is drawn: seconds, even on a slow machine
const SETTLING_FRAMES = 5; // in which rows that come into view get their real heights

const scroller = () => document.getElementById("cc-scroll");
const rowOf = (id) => document.querySelector(`#cc-hist [data-message="${id}"]`);
const topOf = (row) => row.getBoundingClientRect().top;
const countRows = () => document.querySelectorAll("#cc-hist .message-row").length;

export const isAtBottom = () => (scroller()?.scrollTop ?? 0) > -2;

/** Have `changed` told whether the running answer is in sight, or nearly. */
export function watchLive(changed) {
  const live = document.getElementById("cc-live");
  const options = { root: scroller(), rootMargin: "300px" };
  if (live) new IntersectionObserver((seen) => changed(seen.at(-1).isIntersecting), options).observe(live);
}

export function toBottom() {
  const column = scroller();
  if (column) column.scrollTop = 0;
}

/**
 * Hold the message `id` where it is on the screen while others are put above it. (The Chatbot uses its rows
 * again for other messages, so that the browser's own way of holding a place holds the wrong one.)
 */
export function keepInPlace(id) {
  const row = rowOf(id);
  if (!row) return;
  const [top, count] = [topOf(row), countRows()];
  let [frames, settling] = [MOST_FRAMES, SETTLING_FRAMES];
  const step = () => {
    if (countRows() !== count) settling--;
    const now = rowOf(id);
    if (!now || !settling || !frames--) return;
    scroller().scrollTop += topOf(now) - top;
    requestAnimationFrame(step);
  };
  requestAnimationFrame(step);
}
