import type { Charset } from './charsets.ts'

const REPLACEMENT = 0xfffd
const isHigh = (unit: number): boolean => unit >= 0xd800 && unit <= 0xdbff
const isLow = (unit: number): boolean => unit >= 0xdc00 && unit <= 0xdfff

/** Matches unpaired surrogates, which become `?` in UTF-8, like any unmappable character. */
const LONE = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g

export const utf8Charset: Charset = {
  encode: text => Buffer.from(text.isWellFormed() ? text : text.replace(LONE, '?')),
  decode(bytes) {
    const text = bytes.toString('utf8')
    return text.includes('\ufffd') ? withoutSurrogates(bytes).toString('utf8') : text
  },
}

/**
 * Returns the bytes with U+FFFD in place of encoded surrogates (ED A0..BF 80..BF). Java decodes an
 * encoded surrogate to one U+FFFD, and JavaScript decodes it to three.
 */
function withoutSurrogates(bytes: Buffer): Buffer {
  const out = Buffer.from(bytes)
  for (let i = out.indexOf(0xed); i >= 0 && i + 2 < out.length; i = out.indexOf(0xed, i + 1)) {
    const isSurrogate = out[i + 1]! >= 0xa0 && out[i + 1]! <= 0xbf && out[i + 2]! >= 0x80 && out[i + 2]! <= 0xbf
    if (isSurrogate) out.set([0xef, 0xbf, 0xbd], i)
  }
  return out
}

/**
 * The byte order. `marked` is written as big-endian with a byte order mark. It is read in the order
 * of its mark, or as big-endian if there is no mark.
 */
type Order = 'big' | 'little' | 'marked'

export function utf16Charset(order: Order): Charset {
  return {
    encode(text) {
      const marked = order === 'marked' && text !== ''
      const little = Buffer.from((marked ? '\ufeff' : '') + text.toWellFormed(), 'utf16le')
      return order === 'little' ? little : little.swap16()
    },
    decode(bytes) {
      if (order !== 'marked') return decodeUtf16(bytes, order === 'little')
      const mark = bytes.length >= 2 ? bytes.readUInt16BE(0) : 0
      if (mark === 0xfffe) return decodeUtf16(bytes.subarray(2), true)
      return decodeUtf16(mark === 0xfeff ? bytes.subarray(2) : bytes, false)
    },
  }
}

/**
 * Decodes UTF-16. As in Java's decoder, an unpaired high surrogate also consumes the next code
 * unit.
 */
function decodeUtf16(bytes: Buffer, little: boolean): string {
  const units: number[] = []
  const at = (i: number) => (little ? bytes.readUInt16LE(i) : bytes.readUInt16BE(i))
  let i = 0
  for (; i + 2 <= bytes.length; i += 2) {
    const unit = at(i)
    if (isHigh(unit)) {
      if (i + 4 > bytes.length) break
      const next = at(i + 2)
      if (isLow(next)) units.push(unit, next)
      else units.push(REPLACEMENT)
      i += 2
    } else units.push(isLow(unit) ? REPLACEMENT : unit)
  }
  if (i < bytes.length) units.push(REPLACEMENT)
  return textOf(units)
}

/** The maximum number of UTF-16 code units to convert to text at a time. */
const CHUNK = 8192

function textOf(units: readonly number[]): string {
  if (units.length <= CHUNK) return String.fromCharCode(...units)
  const parts: string[] = []
  for (let i = 0; i < units.length; i += CHUNK) parts.push(String.fromCharCode(...units.slice(i, i + CHUNK)))
  return parts.join('')
}

export function utf32Charset(order: Order): Charset {
  return {
    encode(text) {
      const codes = [...text.toWellFormed()].map(c => c.codePointAt(0)!)
      const out = Buffer.allocUnsafe(codes.length * 4)
      for (const [i, code] of codes.entries()) {
        if (order === 'little') out.writeUInt32LE(code, i * 4)
        else out.writeUInt32BE(code, i * 4)
      }
      return out
    },
    decode(bytes) {
      const mark = bytes.length >= 4 ? bytes.readUInt32BE(0) : 0
      if (mark === 0xfeff && order !== 'little') return decodeUtf32(bytes.subarray(4), false)
      if (mark === 0xfffe0000 && order !== 'big') return decodeUtf32(bytes.subarray(4), true)
      return decodeUtf32(bytes, order === 'little')
    },
  }
}

function decodeUtf32(bytes: Buffer, little: boolean): string {
  const parts: string[] = []
  let i = 0
  for (; i + 4 <= bytes.length; i += 4) {
    const code = little ? bytes.readUInt32LE(i) : bytes.readUInt32BE(i)
    // Java accepts unpaired surrogates in UTF-32.
    parts.push(String.fromCodePoint(code <= 0x10ffff ? code : REPLACEMENT))
  }
  if (i < bytes.length) parts.push('\ufffd')
  return parts.join('')
}
