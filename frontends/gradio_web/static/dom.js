// Elements without a template engine. Text is always set as text, never as HTML.

/** `h("button", {class: "x", onclick: f, "aria-label": "…"}, child, "text")` */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element[name] = value;
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== null));
  return element;
}

/** Makes these the children of `parent`. Those that are there stay as they are, with focus and what is typed. */
export function arrange(parent, children) {
  const wanted = new Set(children);
  for (const child of [...parent.children]) if (!wanted.has(child)) child.remove();
  let at = parent.firstElementChild;
  for (const child of children) {
    if (child === at) at = at.nextElementSibling;
    else if (child.isConnected && parent.moveBefore) parent.moveBefore(child, at);
    else parent.insertBefore(child, at);
  }
}

/** A button that shows an icon and is called `label`. */
export function iconButton(name, label, onclick, attributes = {}) {
  const own = { type: "button", class: "cc-icon", "aria-label": label, title: label, onclick };
  return h("button", { ...own, ...attributes }, icon(name));
}

/** One of the icons below. */
export function icon(name) {
  const template = document.createElement("template");
  template.innerHTML = `<svg viewBox="0 0 24 24" aria-hidden="true">${ICONS[name]}</svg>`; // nobody's text
  return template.content.firstChild;
}

const ICONS = {
  bell: '<path d="M6 17V11a6 6 0 0 1 12 0v6l1.5 1.5h-15zM10 21h4"/>',
  close: '<path d="M6 6l12 12M18 6L6 18"/>',
  continue: '<path d="M5 4v16M10 5l9 7-9 7z"/>',
  copy:
    '<rect x="8" y="8" width="12" height="12" rx="2.5"/>' +
    '<path d="M16 8V6a2 2 0 0 0-2-2H6a2 2 0 0 0-2 2v8a2 2 0 0 0 2 2h2"/>',
  delete: '<path d="M4 7h16M10 11v6M14 11v6M6 7l1 13h10l1-13M9 7V4h6v3"/>',
  dislike:
    '<path d="M17 14V3H7.5a2 2 0 0 0-2 1.6l-1.4 7A2 2 0 0 0 6 14h5l-1 5a2 2 0 0 0 3.6 1.6zM17 3h3v11h-3"/>',
  done: '<path d="M5 12.5l4.5 4.5L19 7.5"/>',
  file: '<path d="M13.5 3H7a2 2 0 0 0-2 2v14a2 2 0 0 0 2 2h10a2 2 0 0 0 2-2V8.5zM13.5 3v5.5H19"/>',
  like:
    '<path d="M7 10v11h9.5a2 2 0 0 0 2-1.6l1.4-7A2 2 0 0 0 18 10h-5l1-5a2 2 0 0 0-3.6-1.6zM7 21H4V10h3"/>',
  menu: '<rect x="3.5" y="4.5" width="17" height="15" rx="3"/><path d="M9.5 4.5v15"/>',
  microphone:
    '<rect x="9" y="3" width="6" height="11" rx="3"/><path d="M5.5 11.5a6.5 6.5 0 0 0 13 0M12 18v3"/>',
  missing: '<path d="M13.5 3H7a2 2 0 0 0-2 2v14a2 2 0 0 0 2 2h10a2 2 0 0 0 2-2V8.5zM9.5 11l5 5M14.5 11l-5 5"/>',
  more: '<path d="M5.5 12h.01M12 12h.01M18.5 12h.01" stroke-width="3"/>',
  newer: '<path d="M9 5l7 7-7 7"/>',
  older: '<path d="M15 5l-7 7 7 7"/>',
  plus: '<path d="M12 5v14M5 12h14"/>',
  regenerate: '<path d="M20 5v5h-5M4 19v-5h5M5 10a7.5 7.5 0 0 1 13-3l2 3M19 14a7.5 7.5 0 0 1-13 3l-2-3"/>',
  rename: '<path d="M4 20l1-4.5L16 4.5a2 2 0 0 1 3 0l.5.5a2 2 0 0 1 0 3L8.5 19z"/>',
  settings: '<path d="M4 7h9M19 7h1M4 17h1M11 17h9"/><circle cx="16" cy="7" r="2.5"/><circle cx="8" cy="17" r="2.5"/>',
  stop: '<rect x="6" y="6" width="12" height="12" rx="2.5"/>',
  undo: '<path d="M9 14L4 9l5-5M4 9h10a6 6 0 0 1 0 12h-3"/>',
};
