import { Unrepresentable } from '../../cdc/index.ts'
import type { Decode } from './codec.ts'

const QUOTE = 0x22
const BACKSLASH = 0x5c
const COMMA = 0x2c
const SPACE = 0x20
const OPEN = 0x7b
const CLOSE = 0x7d
const EQUALS = 0x3d

const isNull = (buf: Buffer, start: number, end: number): boolean =>
  end - start === 4 &&
  (buf[start]! | 0x20) === 0x6e &&
  (buf[start + 1]! | 0x20) === 0x75 &&
  (buf[start + 2]! | 0x20) === 0x6c &&
  (buf[start + 3]! | 0x20) === 0x6c

/** Returns a quoted element without its quotes and backslashes. */
function unquoted(buf: Buffer, start: number, end: number): Buffer {
  const out = Buffer.allocUnsafe(end - start)
  let length = 0
  for (let at = start; at < end; at++) {
    if (buf[at] === BACKSLASH) at++
    out[length++] = buf[at]!
  }
  return out.subarray(0, length)
}

/**
 * Returns a decoder for PostgreSQL's text of an array, such as `{1,NULL,"a \"b\""}`, with or
 * without bounds. Multidimensional arrays are flattened in the order of `unnest`, because the
 * schema has one dimension. An element that the schema cannot represent becomes null.
 */
export function arrayDecoder(element: Decode, delimiter = COMMA): Decode {
  return (buf, start, end) => {
    let at = start
    // skips bounds that do not start at 1, such as [0:2]={...}
    if (buf[at] === 0x5b) at = buf.indexOf(EQUALS, at) + 1
    if (buf[at] !== OPEN) throw new SyntaxError('not an array')
    const out: unknown[] = []
    let fault: Unrepresentable | null = null
    const take = (from: Buffer, first: number, last: number) => {
      try {
        out.push(element(from, first, last))
      } catch (error) {
        if (!(error instanceof Unrepresentable)) throw error
        fault ??= error
        out.push(error.always ? error.nearest : null)
      }
    }
    while (at < end) {
      const first = buf[at]!
      // skips the braces of all dimensions, and the delimiters between them
      if (first === OPEN || first === CLOSE || first === delimiter) {
        at++
      } else if (first === QUOTE) {
        let close = at + 1
        let escaped = false
        while (buf[close] !== QUOTE) {
          if (buf[close] === BACKSLASH) {
            escaped = true
            close++
          }
          if (++close >= end) throw new SyntaxError('an unterminated quoted element')
        }
        if (escaped) {
          const plain = unquoted(buf, at + 1, close)
          take(plain, 0, plain.length)
        } else {
          take(buf, at + 1, close)
        }
        at = close + 1
      } else {
        let stop = at
        while (stop < end && buf[stop] !== delimiter && buf[stop] !== CLOSE) stop++
        if (isNull(buf, at, stop)) out.push(null)
        else take(buf, at, stop)
        at = stop
      }
    }
    if (fault !== null) throw new Unrepresentable((fault as Unrepresentable).message, out, true)
    return out
  }
}

/** Returns a decoder for the text of `oidvector` and `int2vector`, such as `1 2 3`. */
export function vectorDecoder(element: Decode): Decode {
  return (buf, start, end) => {
    const out: unknown[] = []
    for (let at = start; at < end; at++) {
      let stop = at
      while (stop < end && buf[stop] !== SPACE) stop++
      out.push(element(buf, at, stop))
      at = stop
    }
    return out
  }
}
