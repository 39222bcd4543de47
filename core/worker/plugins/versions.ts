import { pluginErrors } from '../errors.ts'

const QUALIFIERS = ['alpha', 'beta', 'milestone', 'rc', 'snapshot', '', 'sp']
const SAME: Record<string, string> = { a: 'alpha', b: 'beta', m: 'milestone', cr: 'rc', final: '', ga: '', release: '' }

type Token = number | string

function tokens(version: string): Token[] {
  const parts =
    version
      .toLowerCase()
      .replace(/\+.*$/, '')
      .match(/\d+|[a-z]+/g) ?? []
  const list: Token[] = parts.map(p => (/^\d/.test(p) ? Number(p) : (SAME[p] ?? p)))
  while (list.length > 0 && (list.at(-1) === 0 || list.at(-1) === '')) list.pop()
  return list
}

function compareTokens(a: Token | undefined, b: Token | undefined): number {
  if (typeof a === 'number' || typeof b === 'number') {
    if (typeof a === 'string') return -1
    if (typeof b === 'string') return 1
    return (a ?? 0) - (b ?? 0)
  }
  const rank = (t: string) => (QUALIFIERS.includes(t) ? QUALIFIERS.indexOf(t) : QUALIFIERS.length)
  const difference = rank(a ?? '') - rank(b ?? '')
  return difference !== 0 ? difference : (a ?? '') < (b ?? '') ? -1 : (a ?? '') > (b ?? '') ? 1 : 0
}

/**
 * Compares two versions in the order of Maven's ComparableVersion, for example `1.0-beta` <
 * `1.0-rc1` < `1.0` = `1.0.0` < `1.0.1`.
 */
export function compareVersions(a: string, b: string): number {
  const left = tokens(a)
  const right = tokens(b)
  for (let i = 0; i < Math.max(left.length, right.length); i++) {
    const order = compareTokens(left[i], right[i])
    if (order !== 0) return order
  }
  return 0
}

interface Interval {
  readonly min: string | null
  readonly minInclusive: boolean
  readonly max: string | null
  readonly maxInclusive: boolean
}

/** A set of versions, written in Maven's notation. */
export interface VersionRange {
  /** The range as Connect prints it. The single version `9` is printed as `[9,9]`. */
  readonly text: string
  contains(version: string): boolean
}

/**
 * Parses a version or a range, such as `1.2`, `[1.0,2.0)` or `(,1.0],[1.2,)`. Returns null, which
 * means every version, for `latest` and for an empty string. Throws MR_PLUGIN_RANGE.
 */
export function parseRange(text: string | null | undefined): VersionRange | null {
  const range = text?.trim() ?? ''
  if (range === '' || range === 'latest') return null
  if (/^[\w.+-]+$/.test(range)) {
    return { text: `[${range},${range}]`, contains: v => compareVersions(v, range) === 0 }
  }
  const intervals: Interval[] = []
  const pattern = /\s*([[(])\s*([\w.+-]*)\s*(?:(,)\s*([\w.+-]*)\s*)?([\])])\s*(?:,|$)/gy
  while (pattern.lastIndex < range.length) {
    const m = pattern.exec(range)
    if (!m) throw pluginErrors.create('MR_PLUGIN_RANGE', { range })
    const [, open, min, comma, max, close] = m
    if (!comma && (open !== '[' || close !== ']' || !min)) throw pluginErrors.create('MR_PLUGIN_RANGE', { range })
    const upper = comma ? max : min
    intervals.push({
      min: min || null,
      minInclusive: open === '[',
      max: upper || null,
      maxInclusive: close === ']',
    })
  }
  return { text: range, contains: v => intervals.some(i => within(i, v)) }
}

function within(i: Interval, version: string): boolean {
  if (i.min !== null) {
    const order = compareVersions(version, i.min)
    if (order < 0 || (order === 0 && !i.minInclusive)) return false
  }
  if (i.max === null) return true
  const order = compareVersions(version, i.max)
  return order < 0 || (order === 0 && i.maxInclusive)
}
