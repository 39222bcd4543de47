import { createRequire } from 'node:module'
import type iconv from 'iconv-lite'
import type { Charset } from './charsets.ts'

// iconv-lite is loaded when a character set first needs it, because every task thread loads this
// module and nearly all use UTF-8.
const require = createRequire(import.meta.url)

const UNMAPPABLE = 0x3f
const REPLACEMENT = '\ufffd'

/**
 * The bytes that Java and iconv-lite decode differently. For each character set: the byte, and its
 * character in Java.
 */
const CORRECTIONS: Readonly<Record<string, readonly [byte: number, character: string]>> = {
  'TIS-620': [0xa0, '\u00a0'],
  'windows-1255': [0xca, REPLACEMENT],
}

/**
 * A character set with one character for each of the 256 bytes. U+FFFD marks a byte without a
 * character.
 */
class SingleByteCharset implements Charset {
  readonly #characters: readonly string[]
  readonly #bytes = new Map<number, number>()

  constructor(characters: readonly string[]) {
    this.#characters = characters
    characters.forEach((c, byte) => {
      if (c !== REPLACEMENT) this.#bytes.set(c.charCodeAt(0), byte)
    })
  }

  encode(text: string): Buffer {
    const out = Buffer.allocUnsafe(text.length)
    let length = 0
    // The loop iterates over code points, so a character beyond the BMP becomes one question mark.
    for (const c of text) out[length++] = (c.length === 1 ? this.#bytes.get(c.charCodeAt(0)) : undefined) ?? UNMAPPABLE
    return out.subarray(0, length)
  }

  decode(bytes: Buffer): string {
    let out = ''
    for (const byte of bytes) out += this.#characters[byte]
    return out
  }
}

const upTo = (end: number): string[] =>
  Array.from({ length: 256 }, (_, byte) => (byte < end ? String.fromCharCode(byte) : REPLACEMENT))

export const asciiCharset: Charset = new SingleByteCharset(upTo(128))
export const latin1Charset: Charset = new SingleByteCharset(upTo(256))

const tables = new Map<string, Charset>()

/** Returns the iconv-lite character set with this name. */
export function tableCharset(name: string): Charset {
  let charset = tables.get(name)
  if (!charset) {
    const { decode } = require('iconv-lite') as typeof iconv
    const characters = Array.from({ length: 256 }, (_, byte) => decode(Buffer.from([byte]), name))
    const correction = CORRECTIONS[name]
    if (correction) characters[correction[0]] = correction[1]
    charset = new SingleByteCharset(characters)
    tables.set(name, charset)
  }
  return charset
}
