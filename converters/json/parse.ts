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

// Only an integer of 16 digits and more can be rounded.
const LONG_NUMBER = /\d{16}/

/** What of a number's exactness matters to the reader: nothing, int64 beyond 2^53, or every digit. */
export type Precision = 'double' | 'int64' | 'text'

/** JSON.parse that rounds no more than asked. Throws SyntaxError. */
export function parseJson(text: string, precision: Precision): unknown {
  if (precision === 'text') return JSON.parse(text, keepTexts)
  if (precision === 'int64' && LONG_NUMBER.test(text)) return JSON.parse(text, keepIntegers)
  return JSON.parse(text)
}
