// Offsets in events count code points; JavaScript counts UTF-16 units. Only this file knows the difference.

/** How many code points `text` has. */
export function points(text) {
  let count = text.length;
  for (let i = 0; i < text.length - 1; i++) {
    if (isPair(text, i)) {
      count--;
      i++;
    }
  }
  return count;
}

/** `text` without its first `count` code points. */
export function afterPoints(text, count) {
  let i = 0;
  while (count > 0 && i < text.length) {
    i += isPair(text, i) ? 2 : 1;
    count--;
  }
  return text.slice(i);
}

function isPair(text, i) {
  const high = text.charCodeAt(i);
  if (high < 0xd800 || high > 0xdbff) return false;
  const low = text.charCodeAt(i + 1);
  return low >= 0xdc00 && low <= 0xdfff;
}
