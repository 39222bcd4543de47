/** Returns the kind of a value for error messages, for example `a string` or `a Date`. */
export function kindOf(value: unknown): string {
  if (value === null || value === undefined) return String(value)
  const name = typeof value === 'object' ? (value.constructor?.name ?? 'object') : typeof value
  return `${/^[aeiou]/i.test(name) ? 'an' : 'a'} ${name}`
}
