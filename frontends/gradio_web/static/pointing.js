// Showing somebody where a message is: it is scrolled to and stands out for a moment.

const MOST_FRAMES = 300; // Gradio draws a history in its own time
const SETTLING_FRAMES = 20; // in which rows around it get their real heights, and others find their places
const MOMENT_MS = 2500;

/** Ends when the reader is there, or when the message has not come; gives whether it has. */
export function point(message) {
  return new Promise((resolve) => follow(message, resolve));
}

function follow(message, ended) {
  let [frames, settling] = [MOST_FRAMES, SETTLING_FRAMES];
  const step = () => {
    const row = document.querySelector(`:is(#cc-hist, #cc-live) .message-row[data-message="${message}"]`);
    if (row) {
      row.scrollIntoView({ block: "center" });
      row.classList.add("cc-pointed");
      settling--;
    }
    if (settling && frames--) return requestAnimationFrame(step);
    if (row) setTimeout(unmark, MOMENT_MS);
    ended(row !== null);
  };
  requestAnimationFrame(step);
}

// The Chatbot uses its rows again for other messages: the mark may stand on any.
function unmark() {
  document.querySelectorAll(".cc-pointed").forEach((row) => row.classList.remove("cc-pointed"));
}
