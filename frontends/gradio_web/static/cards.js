// Files that are not shown as what they are: a card with the name, the kind and the size.
import { h, icon } from "./dom.js";
import { upright } from "./harmless.js";

const UNITS = ["B", "kB", "MB", "GB", "TB"];

/** `part` is a file, or a missing file of an import, which leads nowhere; `address` is the file's. */
export function cardOf(part, address) {
  const isMissing = part.type === "missing_file";
  const { media_type, size_bytes, ...named } = isMissing ? part : part.attachment;
  const name = upright(named.name);
  const facts = [kindOf(name, media_type), size_bytes == null ? null : sizeOf(size_bytes)];
  if (isMissing) facts.push("not included");
  const link = isMissing
    ? h("span", { class: "cc-card-name" }, name)
    : h("a", { class: "cc-card-name", href: address, download: name, target: "_blank", rel: "noopener" }, name);
  const said = h("span", { class: "cc-card-facts" }, facts.filter(Boolean).join(" · "));
  const card = h("div", { class: `cc-card${isMissing ? " cc-card-missing" : ""}` }, link, said);
  card.prepend(icon(isMissing ? "missing" : "file"));
  return card;
}

/** In words for people, with three digits at most: "1.2 MB". */
export function sizeOf(bytes) {
  let unit = 0;
  while (bytes >= 999.5 && unit < UNITS.length - 1) {
    bytes /= 1000;
    unit++;
  }
  return `${unit && bytes < 9.95 ? bytes.toFixed(1) : Math.round(bytes)} ${UNITS[unit]}`;
}

function kindOf(name, mediaType) {
  const extension = /\.([A-Za-z0-9]{1,8})$/.exec(name)?.[1];
  return (extension ?? mediaType?.split("/")[1] ?? "file").toUpperCase();
}
