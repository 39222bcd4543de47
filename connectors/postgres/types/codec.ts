import type { Schema } from 'millrace/connect'

/** Turns the text that the server prints for a value into the value of an event. Throws where it cannot. */
export type Decode = (buf: Buffer, start: number, end: number) => unknown

/** How a column's values are shown. */
export interface Codec {
  /** Not optional, without a default; the column adds these. */
  readonly schema: Schema
  readonly decode: Decode
  /** What stands where a NOT NULL column's value is not known, as in the old row of a delete. */
  readonly filler: unknown
  /** The placeholder for an unchanged TOASTed value; null to derive it from the schema. */
  readonly unavailable: unknown
  /** Whether values are text to the database: what masks apply to. */
  readonly isText: boolean
}

export const utf8: Decode = (buf, start, end) => buf.toString('utf8', start, end)
export const ascii = (buf: Buffer, start: number, end: number): string => buf.toString('latin1', start, end)

/** A whole number that is known to fit a double. */
export function smallInt(buf: Buffer, start: number, end: number): number {
  let at = start
  const negative = buf[at] === 0x2d
  if (negative) at++
  let n = 0
  for (; at < end; at++) n = n * 10 + (buf[at]! - 0x30)
  return negative ? -n : n
}

/** An int64: a number while it is safe, else a bigint. */
export function bigInt(buf: Buffer, start: number, end: number): number | bigint {
  if (end - start <= 15) return smallInt(buf, start, end)
  const n = BigInt(ascii(buf, start, end))
  return n >= -9007199254740991n && n <= 9007199254740991n ? Number(n) : n
}

/** A double, `NaN`, `Infinity` and `-Infinity` included. */
export const double: Decode = (buf, start, end) => Number(ascii(buf, start, end))

export function hexBytes(buf: Buffer, start: number, end: number): Buffer {
  if (buf[start] === 0x5c && buf[start + 1] === 0x78) return Buffer.from(ascii(buf, start + 2, end), 'hex')
  throw new SyntaxError('not in hexadecimal')
}
