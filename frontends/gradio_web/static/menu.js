// A menu that opens from a button: by click, Enter or the down arrow; arrows go through it, Escape closes it.
import { h, iconButton } from "./dom.js";

const EDGE = 8; // pixels that it keeps away from the edge of the page

let open = null; // one at a time

/** `items()` gives what there is to choose, each time it is opened: [label, what is done]. */
export function menuButton(icon, label, items) {
  const show = () => (open?.button === button ? close() : openMenu(button, items()));
  const button = iconButton(icon, label, show, { "aria-haspopup": "menu", "aria-expanded": "false" });
  button.onkeydown = (event) => {
    if (event.key !== "ArrowDown") return;
    event.preventDefault();
    openMenu(button, items());
  };
  return button;
}

function openMenu(button, items) {
  close();
  const choose = (action) => () => {
    close(true); // an action may take it on
    action();
  };
  const menu = h(
    "div",
    { class: "cc-menu", role: "menu", "aria-label": button.title },
    ...items.map(([label, action]) =>
      h("button", { type: "button", role: "menuitem", tabindex: "-1", onclick: choose(action) }, label),
    ),
  );
  menu.onkeydown = (event) => walk(event, [...menu.children]);
  // In the body, since the list around the button cuts off what goes beyond it.
  document.body.append(menu);
  const { left, bottom, top } = button.getBoundingClientRect();
  const isLow = bottom + menu.offsetHeight > innerHeight;
  menu.style.top = `${isLow ? Math.max(0, top - menu.offsetHeight) : bottom}px`;
  menu.style.left = `${Math.max(0, Math.min(left, innerWidth - menu.offsetWidth - EDGE))}px`;
  button.setAttribute("aria-expanded", "true");
  open = { button, menu };
  menu.firstElementChild.focus();
}

function close(isFocusKept = false) {
  if (!open) return;
  const { button, menu } = open;
  open = null;
  menu.remove();
  button.setAttribute("aria-expanded", "false");
  if (isFocusKept) button.focus();
}

function walk(event, items) {
  const at = items.indexOf(document.activeElement);
  const next = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: items.length - 1 }[event.key];
  if (next !== undefined) {
    event.preventDefault();
    items.at(next % items.length).focus();
  } else if (event.key === "Escape") {
    event.stopPropagation();
    close(true);
  } else if (event.key === "Tab") {
    close(true); // and on from the button
  }
}

addEventListener("pointerdown", (event) => {
  const isInside = open && (open.menu.contains(event.target) || open.button.contains(event.target));
  if (!isInside) close();
});
addEventListener("scroll", () => close(), true);
