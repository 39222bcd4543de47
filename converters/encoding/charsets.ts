import { SINGLE_BYTE } from './names.ts'
import { asciiCharset, latin1Charset, tableCharset } from './single-byte.ts'
import { utf8Charset, utf16Charset, utf32Charset } from './unicode.ts'

/**
 * Encodes and decodes text like Java's String. Unmappable characters are encoded as `?`, and
 * malformed bytes are decoded as U+FFFD.
 */
export interface Charset {
  encode(text: string): Buffer
  decode(bytes: Buffer): string
}

const UNICODE: readonly (readonly [names: string, charset: () => Charset])[] = [
  ['utf-8 utf8 unicode-1-1-utf-8', () => utf8Charset],
  [
    'us-ascii ascii ascii7 ansi_x3.4-1968 ansi_x3.4-1986 cp367 csascii iso-ir-6 iso_646.irv:1983 iso_646.irv:1991 iso646-us ibm367 646 us default',
    () => asciiCharset,
  ],
  [
    'iso-8859-1 iso8859-1 iso8859_1 iso_8859-1 iso_8859_1 iso_8859-1:1987 8859_1 latin1 l1 819 cp819 ibm819 ibm-819 iso-ir-100 csisolatin1',
    () => latin1Charset,
  ],
  ['utf-16 utf_16 utf16 unicode unicodebig', () => utf16Charset('marked')],
  ['utf-16be utf_16be x-utf-16be iso-10646-ucs-2 unicodebigunmarked', () => utf16Charset('big')],
  ['utf-16le utf_16le x-utf-16le unicodelittleunmarked', () => utf16Charset('little')],
  ['utf-32 utf_32 utf32', () => utf32Charset('marked')],
  ['utf-32be utf_32be x-utf-32be', () => utf32Charset('big')],
  ['utf-32le utf_32le x-utf-32le', () => utf32Charset('little')],
]

const BY_NAME = new Map<string, () => Charset>()
for (const [names, charset] of UNICODE) for (const name of names.split(' ')) BY_NAME.set(name, charset)
for (const [java, iconv, aliases] of SINGLE_BYTE) {
  for (const name of [java.toLowerCase(), ...aliases.split(' ')]) BY_NAME.set(name, () => tableCharset(iconv))
}

/**
 * Returns the character set with this Java name, ignoring case. Returns null if it is not
 * supported.
 */
export function charsetOf(name: string): Charset | null {
  return BY_NAME.get(name.toLowerCase())?.() ?? null
}

export function isCharset(name: string): boolean {
  return BY_NAME.has(name.toLowerCase())
}
