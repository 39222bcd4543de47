import type { Flags } from './flags.ts'

/** Renders a code point so that it is valid anywhere in a RegExp with the flag `v`. */
export function literal(code: number): string {
  const isWord = (code >= 48 && code <= 57) || (code >= 65 && code <= 90) || (code >= 97 && code <= 122)
  return isWord ? String.fromCharCode(code) : `\\u{${code.toString(16)}}`
}

/** Returns the set of a range of code points. With the flag `i`, the set contains both cases. */
export function rangeSet(from: number, to: number, flags: Flags): string {
  const own = from === to ? literal(from) : `${literal(from)}-${literal(to)}`
  if (!flags.ignoreCase) return from === to ? own : `[${own}]`
  const others = flags.unicodeCase ? unicodeVariants(from, to) : asciiVariants(from, to)
  return others === '' && from === to ? own : `[${own}${others}]`
}

/** Returns the other case of the ASCII letters in a range. */
function asciiVariants(from: number, to: number): string {
  const shifted = (low: number, high: number, by: number) => {
    const a = Math.max(from, low)
    const b = Math.min(to, high)
    return a > b ? '' : `${literal(a + by)}-${literal(b + by)}`
  }
  return shifted(65, 90, 32) + shifted(97, 122, -32)
}

// To ignore case, Java uses Character.toUpperCase and toLowerCase, which map to a single character.
const single = (text: string, otherwise: number): number =>
  text.length === (text.codePointAt(0)! > 0xffff ? 2 : 1) ? text.codePointAt(0)! : otherwise
const upper = (code: number): number => single(String.fromCodePoint(code).toUpperCase(), code)
const lower = (code: number): number => single(String.fromCodePoint(code).toLowerCase(), code)

/** The last code point of a letter with two cases. */
const CASED_END = 0x1_ff_ff
let cased: [code: number, upper: number, lower: number][] | null = null
/**
 * A cache of the case variants of single characters. A pattern may contain a character many times.
 */
const variants = new Map<number, string>()

function unicodeVariants(from: number, to: number): string {
  if (from !== to) return findVariants(from, to)
  let found = variants.get(from)
  if (found === undefined) {
    found = findVariants(from, from)
    variants.set(from, found)
  }
  return found
}

function findVariants(from: number, to: number): string {
  if (!cased) {
    cased = []
    for (let code = 0; code < CASED_END; code++) {
      if (code >= 0xd800 && code <= 0xdfff) continue
      const [u, l] = [upper(code), lower(code)]
      if (u !== code || l !== code) cased.push([code, u, l])
    }
  }
  const folded = from === to ? lower(upper(from)) : null
  if (folded !== null && folded === upper(from)) return ''
  const isEqual = ([code, u, l]: [number, number, number]) =>
    folded !== null ? code === folded || lower(u) === folded : (u >= from && u <= to) || (l >= from && l <= to)
  return cased
    .filter(isEqual)
    .map(([code]) => literal(code))
    .join('')
}

export const LINE_ENDS = '\\n\\r\\u{85}\\u{2028}\\u{2029}'
const ASCII_SPACE = ' \\t\\n\\u{b}\\f\\r'

/**
 * Returns the set of `\d`, `\w`, `\s`, `\h`, `\v` or their complements. Returns null for other
 * letters.
 */
export function predefinedSet(letter: string, unicode: boolean): string | null {
  const set = positiveSet(letter.toLowerCase(), unicode)
  if (set === null) return null
  return letter === letter.toLowerCase() ? set : complement(set)
}

function positiveSet(letter: string, unicode: boolean): string | null {
  switch (letter) {
    case 'd':
      return unicode ? '[\\p{Nd}]' : '[0-9]'
    case 'w':
      return unicode ? '[\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\p{Join_Control}]' : '[a-zA-Z0-9_]'
    case 's':
      return unicode ? '[\\p{White_Space}]' : `[${ASCII_SPACE}]`
    case 'h':
      return '[ \\t\\u{a0}\\u{1680}\\u{180e}\\u{2000}-\\u{200a}\\u{202f}\\u{205f}\\u{3000}]'
    case 'v':
      return `[\\n\\u{b}\\f\\r\\u{85}\\u{2028}\\u{2029}]`
    default:
      return null
  }
}

/** Returns the complement of a set. */
export const complement = (set: string): string => `[^${set}]`
