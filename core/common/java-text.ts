/**
 * Returns the text without control characters and spaces (up to U+0020) at its ends, like Java's
 * String.trim. Other white space is kept.
 */
export function javaTrim(text: string): string {
  let start = 0
  let end = text.length
  while (start < end && text.charCodeAt(start) <= 0x20) start++
  while (end > start && text.charCodeAt(end - 1) <= 0x20) end--
  return text.slice(start, end)
}
