import type { Decode } from './codec.ts'

const QUOTE = 0x22
const BACKSLASH = 0x5c
const COMMA = 0x2c
const OPEN = 0x7b
const CLOSE = 0x7d
const EQUALS = 0x3d

const isNull = (buf: Buffer, start: number, end: number): boolean =>
  end - start === 4 &&
  (buf[start]! | 0x20) === 0x6e &&
  (buf[start + 1]! | 0x20) === 0x75 &&
  (buf[start + 2]! | 0x20) === 0x6c &&
  (buf[start + 3]! | 0x20) === 0x6c

/** A quoted element without its quotes and backslashes. */
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
 * Decodes PostgreSQL's text of an array of one dimension: `{1,NULL,"a \"b\""}`, with or without bounds before it. More than one
 * dimension does not fit the schema, which has one: a RangeError.
 */
export function arrayDecoder(element: Decode): Decode {
  return (buf, start, end) => {
    let at = start
    // bounds that do not begin at 1: [0:2]={...}
    if (buf[at] === 0x5b) at = buf.indexOf(EQUALS, at) + 1
    if (buf[at] !== OPEN) throw new SyntaxError('not an array')
    const out: unknown[] = []
    at++
    if (buf[at] === CLOSE) return out
    while (at < end) {
      const first = buf[at]!
      if (first === OPEN) throw new RangeError('it has more than one dimension, and the schema of an array has one')
      if (first === QUOTE) {
        let close = at + 1
        let escaped = false
        while (buf[close] !== QUOTE) {
          if (buf[close] === BACKSLASH) {
            escaped = true
            close++
          }
          if (++close >= end) throw new SyntaxError('a quoted element without an end')
        }
        if (escaped) {
          const plain = unquoted(buf, at + 1, close)
          out.push(element(plain, 0, plain.length))
        } else {
          out.push(element(buf, at + 1, close))
        }
        at = close + 1
      } else {
        let stop = at
        while (stop < end && buf[stop] !== COMMA && buf[stop] !== CLOSE) stop++
        out.push(isNull(buf, at, stop) ? null : element(buf, at, stop))
        at = stop
      }
      // a comma, or the closing brace
      at++
    }
    return out
  }
}
