// Files on their way into the composer: by its button, by pasting, by dropping them anywhere on the page.
// What is too much is said before anything is uploaded. (The server checks it all once more.)
import { allowedFiles, problemOf } from "./allowed.js";
import { h } from "./dom.js";

const INPUT = "#cc-box input[type=file]";

export class Attachments {
  #isAdding = false;

  /** `actions`: limits, refuse(sentence). */
  constructor(actions) {
    this.actions = actions;
    addEventListener("change", (event) => event.target.matches?.(INPUT) && this.#chosen(event), true);
    addEventListener("paste", (event) => event.target.closest?.("#cc-box") && this.#pasted(event), true);
    addEventListener("dragover", (event) => holdsFiles(event) && event.preventDefault());
    addEventListener("drop", (event) => holdsFiles(event) && this.#dropped(event), true);
  }

  /** Have Gradio's button say what may be sent, and the browser offer nothing else. Kinds can be read at once, too. */
  tell(box) {
    const { media_types } = this.actions.limits;
    const [button, input] = [box.querySelector(".upload-button"), document.querySelector(INPUT)];
    const words = allowedFiles(this.actions.limits);
    if (button && button.ariaDescription !== words) button.ariaDescription = button.title = words;
    if (media_types && !box.nextElementSibling?.matches(".cc-allowed")) box.after(h("p", { class: "cc-allowed" }, words));
    if (button) button.hidden = media_types?.length === 0;
    if (input && media_types && input.accept !== media_types.join(",")) input.accept = media_types.join(",");
  }

  /** Have Gradio upload them as if they had been chosen; false: they may not be sent. */
  add(files) {
    const input = document.querySelector(INPUT);
    if (!input || !this.#mayCome(files)) return false;
    const given = new DataTransfer();
    for (const file of files) given.items.add(file);
    input.files = given.files;
    this.#isAdding = true;
    input.dispatchEvent(new Event("change", { bubbles: true }));
    this.#isAdding = false;
    return true;
  }

  #chosen(event) {
    if (this.#isAdding || this.#mayCome([...event.target.files])) return;
    event.stopImmediatePropagation();
    event.target.value = ""; // else the same file could not be chosen again
  }

  #pasted(event) {
    const files = [...(event.clipboardData?.files ?? [])];
    const isRichText = event.clipboardData?.types.includes("text/html"); // with a picture of itself
    if (!files.length || isRichText) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    this.add(files);
  }

  #dropped(event) {
    event.preventDefault(); // else the browser would leave the page for the file
    event.stopImmediatePropagation();
    document.querySelector("#cc-box .full-container")?.classList.remove("dragging");
    this.add([...event.dataTransfer.files]);
  }

  #mayCome(files) {
    const held = document.querySelectorAll("#cc-box .thumbnail-wrapper").length;
    const problem = problemOf(files, held, this.actions.limits);
    if (problem) this.actions.refuse(problem);
    return !problem;
  }
}

const holdsFiles = (event) => event.dataTransfer?.types.includes("Files");
