/** Returns the keys that have the prefix, with the prefix removed. */
export function withPrefix<V extends string | null>(
  props: Readonly<Record<string, V>>,
  prefix: string,
): Record<string, V> {
  const found = Object.entries(props).filter(([key]) => key.startsWith(prefix) && key.length > prefix.length)
  return Object.fromEntries(found.map(([key, value]) => [key.slice(prefix.length), value]))
}
