import type { Schema } from 'millrace/connect'

/**
 * Converts the server's text of a value to the value of an event. Throws if the value cannot be
 * represented.
 */
export type Decode = (buf: Buffer, start: number, end: number) => unknown

/** How events represent the values of a type. */
export interface Codec {
  /** The schema without `optional` and default, which depend on the column. */
  readonly schema: Schema
  readonly decode: Decode
  /** The value of a NOT NULL column if the server does not send it, as in deletes. */
  readonly filler: unknown
  /** The placeholder for an unchanged TOASTed value; null to derive it from the schema. */
  readonly unavailable: unknown
  /** Whether values are text in the database. Masks apply only to text. */
  readonly isText: boolean
}

export const utf8: Decode = (buf, start, end) => buf.toString('utf8', start, end)
export const ascii = (buf: Buffer, start: number, end: number): string => buf.toString('latin1', start, end)

/** Decodes a whole number in the range of safe integers. */
export function smallInt(buf: Buffer, start: number, end: number): number {
  let at = start
  const negative = buf[at] === 0x2d
  if (negative) at++
  let n = 0
  for (; at < end; at++) n = n * 10 + (buf[at]! - 0x30)
  return negative ? -n : n
}

/** Decodes an int64: a number if it is a safe integer, else a bigint. */
export function bigInt(buf: Buffer, start: number, end: number): number | bigint {
  if (end - start <= 15) return smallInt(buf, start, end)
  const n = BigInt(ascii(buf, start, end))
  return n >= -9007199254740991n && n <= 9007199254740991n ? Number(n) : n
}

/** Decodes a double, including `NaN`, `Infinity` and `-Infinity`. */
export const double: Decode = (buf, start, end) => Number(ascii(buf, start, end))

export function hexBytes(buf: Buffer, start: number, end: number): Buffer {
  if (buf[start] === 0x5c && buf[start + 1] === 0x78) return Buffer.from(ascii(buf, start + 2, end), 'hex')
  throw new SyntaxError('not in hexadecimal')
}
