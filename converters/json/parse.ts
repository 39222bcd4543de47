/** A JSON number with its text, where its digits matter (decimals). */
export class NumberText {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }

  /** The number, or a bigint for an integer beyond 2^53. */
  get value(): number | bigint {
    const n = Number(this.text)
    return Number.isSafeInteger(n) || !/^-?\d+$/.test(this.text) ? n : BigInt(this.text)
  }
}

type Reviver = (key: string, value: unknown) => unknown

const keepIntegers = ((_key: string, value: unknown, context?: { source?: string }) => {
  if (typeof value !== 'number' || Number.isSafeInteger(value)) return value
  const source = context?.source
  return source !== undefined && /^-?\d+$/.test(source) ? BigInt(source) : value
}) as Reviver

const keepTexts = ((_key: string, value: unknown, context?: { source?: string }) =>
  typeof value === 'number' && context?.source !== undefined ? new NumberText(context.source) : value) as Reviver

// Only these integers can be beyond 2^53.
const LONG_NUMBER = /9\d{15}|\d{17}/
// Such an integer as the value of a member. A quote inside a string has a backslash before it, so this is none.
const LONG_MEMBER = /([^\\]"\s*:\s*)(-?(?:9\d{15}|\d{17,}))(?=\s*[,}])/g
/** What a quoted integer begins with; see `quoteLongs`. */
const QUOTED = '#'

/**
 * How exactly numbers are read: `double` as JSON.parse does; `quoted` with integers beyond 2^53, where they are members of objects,
 * as strings that `unquoteLong` takes (for readers that know where an integer belongs: far faster than the next); `int64` with all
 * of them as bigint; `text` with every number as NumberText.
 */
export type Precision = 'double' | 'quoted' | 'int64' | 'text'

/** JSON.parse that rounds no more than asked. Throws SyntaxError. */
export function parseJson(text: string, precision: Precision): unknown {
  if (precision === 'text') return JSON.parse(text, keepTexts)
  if (precision === 'double' || !LONG_NUMBER.test(text)) return JSON.parse(text)
  if (precision === 'quoted') return JSON.parse(text.replace(LONG_MEMBER, `$1"${QUOTED}$2"`))
  return JSON.parse(text, keepIntegers)
}

/** The integer that stands in a string of `quoted` parsing; null for any other string. */
export function unquoteLong(text: string): number | bigint | null {
  if (!text.startsWith(QUOTED) || !/^-?\d+$/.test(text.slice(1))) return null
  const n = Number(text.slice(1))
  return Number.isSafeInteger(n) ? n : BigInt(text.slice(1))
}
