// Copying, also where the browser gives pages no clipboard: a plain http address in a home network.

/** Whether the words are on the clipboard now. */
export async function copyText(words) {
  try {
    await navigator.clipboard.writeText(words);
    return true;
  } catch {
    return copySelected(words); // not allowed, or there is none
  }
}

function copySelected(words) {
  const focused = document.activeElement;
  const area = document.createElement("textarea");
  area.value = words;
  area.style.cssText = "position:fixed;top:0;opacity:0";
  document.body.append(area);
  area.select();
  const isCopied = document.execCommand("copy");
  area.remove();
  focused?.focus();
  return isCopied;
}

/** Gradio's button on a block of code does nothing on such an address. */
export function mendCodeButtons() {
  if (navigator.clipboard) return;
  addEventListener("click", (event) => {
    const button = event.target.closest?.(".copy_code_button");
    const code = button?.parentElement.querySelector("pre");
    if (!code) return;
    event.stopImmediatePropagation();
    copySelected(code.textContent);
  }, true);
}
