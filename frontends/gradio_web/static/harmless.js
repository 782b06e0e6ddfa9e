// What words from elsewhere may not do: look like our elements to our scripts, turn the text around them, or be the
// end of the tab.

const OURS = /^(cc-.*|message-row|thought-group|submit-button|stop-button)$/;
const MARKED = ".prose [id], .prose [class], .prose [data-action], .prose [data-message]";

// A named element stands before the document's own methods (`<img name="createElement">`), a form's field before
// the form's: one such answer would stop every script of the page, each time it is shown.
const NAMED = "img[name], form[name], embed[name], object[name], iframe[name], form [name], form [id], [form]";

/** Gradio makes markup of messages into elements by templates: take those names away before they are anywhere. */
export function guardTemplates() {
  const { get, set } = Object.getOwnPropertyDescriptor(Element.prototype, "innerHTML");
  const guarded = function (html) {
    set.call(this, html);
    for (const element of this.content.querySelectorAll(NAMED)) {
      for (const name of ["name", "form"]) element.removeAttribute(name);
      if (element.closest("form")) element.removeAttribute("id");
    }
  };
  Object.defineProperty(HTMLTemplateElement.prototype, "innerHTML", { get, set: guarded, configurable: true });
}

/**
 * Take from all markup of messages in `logs` (ids), as it comes, the names by which this page finds its own elements.
 * (Gradio's sanitizer lets ids and classes pass.) Made before all other observers, it is called before them.
 */
export function disarm(logs) {
  const clean = (node) => {
    if (node.nodeType !== Node.ELEMENT_NODE) return;
    if (node.matches(MARKED)) strip(node);
    node.querySelectorAll(MARKED).forEach(strip);
    const formulas = node.matches(".katex") ? [node] : [...node.querySelectorAll(".katex")];
    for (const formula of formulas.filter(isDeep)) formula.replaceWith(sourceOf(formula));
  };
  const watch = new MutationObserver((changes) => changes.forEach(({ addedNodes }) => addedNodes.forEach(clean)));
  for (const id of logs) {
    const log = document.getElementById(id);
    if (log) watch.observe(log, { childList: true, subtree: true });
  }
}

// Elements in each other are laid out on a stack: at 800 it ends, and the tab with it, whenever the message is shown.
// A markup parser stops at 512; KaTeX does not, and draws what nobody could read. (20 fractions in each other: 145.)
const MOST_DEEP = 200;

function isDeep(element) {
  const walk = document.createTreeWalker(element, NodeFilter.SHOW_ELEMENT);
  let depth = 0;
  while (depth <= MOST_DEEP) {
    if (walk.firstChild()) depth++;
    else {
      while (!walk.nextSibling()) {
        if (!walk.parentNode()) return false;
        depth--;
      }
    }
  }
  return true;
}

function sourceOf(formula) {
  const code = document.createElement("code");
  code.textContent = formula.querySelector("annotation")?.textContent ?? "";
  return code;
}

function strip(element) {
  if (OURS.test(element.id)) element.removeAttribute("id");
  delete element.dataset.action;
  delete element.dataset.message;
  for (const name of [...element.classList]) if (OURS.test(name)) element.classList.remove(name);
}

/** `text` without what turns the direction of all that follows: a title stands among words of ours. */
export const upright = (text) => text.replace(/[\u202a-\u202e\u2066-\u2069]/g, "");
