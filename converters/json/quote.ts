// What Jackson escapes: quotes, backslashes, control characters, and both halves of letters beyond the BMP.
const ESCAPED = /["\\\u0000-\u001f\ud800-\udfff]/
const ESCAPED_ALL = /["\\\u0000-\u001f\ud800-\udfff]/g

const SHORT: Readonly<Record<string, string>> = {
  '"': '\\"',
  '\\': '\\\\',
  '\b': '\\b',
  '\t': '\\t',
  '\n': '\\n',
  '\f': '\\f',
  '\r': '\\r',
}

function escaped(c: string): string {
  return SHORT[c] ?? `\\u${c.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}`
}

/** A JSON string exactly as Jackson writes it into UTF-8. */
export function quote(text: string): string {
  return ESCAPED.test(text) ? `"${text.replace(ESCAPED_ALL, escaped)}"` : `"${text}"`
}
