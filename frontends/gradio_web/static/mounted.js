// Waiting for the components that the page is made of.

// What has to stand in the page for each of the chat's pieces that were placed in it.
const PIECES = {
  sidebar: ["#cc-sidebar .cc-place"],
  header: ["#cc-header .cc-place"],
  history: ["#cc-top .cc-place", "#cc-tail .cc-place", "#cc-hist .wrapper", "#cc-live .wrapper"],
  composer: ["#cc-notice .cc-place", "#cc-box textarea"],
};

/** Gradio loads each kind of component by itself: ours may stand before those that it needs. */
export async function mounted(pieces) {
  const needed = pieces.flatMap((piece) => PIECES[piece]);
  const isThere = () => needed.every((selector) => document.querySelector(selector));
  if (isThere()) return;
  await new Promise((resolve) => {
    const watch = new MutationObserver(() => isThere() && (watch.disconnect(), resolve()));
    watch.observe(document.body, { childList: true, subtree: true });
  });
}
