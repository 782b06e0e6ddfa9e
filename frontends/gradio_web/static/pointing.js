// Showing somebody where a message is: it is scrolled to and stands out for a moment.

const FRAMES = 180; // Gradio draws a history in its own time
const MOMENT_MS = 2500;

export function point(message, frames = FRAMES) {
  const bar = document.querySelector(`[data-message="${message}"]`);
  const row = bar?.closest(".message-row") ?? bar;
  if (!row) {
    if (frames) requestAnimationFrame(() => point(message, frames - 1));
    return;
  }
  row.scrollIntoView({ block: "center" });
  row.classList.add("cc-pointed");
  setTimeout(() => row.classList.remove("cc-pointed"), MOMENT_MS);
}
