// Where the focus goes when what has it goes away: else whoever has no mouse begins again at the top of the page.
export const BOX = "#cc-box textarea";

/** To where one writes; by touch that would bring up a keyboard, so only after a key was pressed. */
export const focusBox = () => document.querySelector(BOX)?.focus({ preventScroll: true });

/** Whether a button was pressed by a key: a click says how often the pointer was pressed. */
export const isByKey = (event) => event.detail === 0;

/** Whether a button has the focus and shows it, which it does when it came there by a key. */
export const isOnButton = () => document.activeElement.matches("button:focus-visible");
