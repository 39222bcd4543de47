/**
 * An inclusive range of versions. For an open range, `max` is Infinity. For an empty range, `max`
 * is below `min`.
 */
export interface VersionRange {
  readonly min: number
  readonly max: number
}

const NONE: VersionRange = { min: 0, max: -1 }
const parsed = new Map<string, VersionRange>()

/** Parses Kafka's notation of versions: `3`, `0-4`, `7+`, `none`. */
export function parseVersions(text: string): VersionRange {
  const known = parsed.get(text)
  if (known) return known
  const match = /^(\d+)(?:(\+)|-(\d+))?$/.exec(text)
  if (!match && text !== 'none') throw new TypeError(`not a range of versions: ${text}`)
  const min = Number(match?.[1])
  const range = match ? { min, max: match[2] ? Infinity : Number(match[3] ?? min) } : NONE
  parsed.set(text, range)
  return range
}

/** Returns whether a range in Kafka's notation contains a version. */
export function inVersions(text: string, version: number): boolean {
  const { min, max } = parseVersions(text)
  return version >= min && version <= max
}
