import { type Cursor, END } from './cursor.ts'
import { PatternError } from './pattern-error.ts'

const CONTROLS: Readonly<Record<string, number>> = { a: 7, e: 0x1b, f: 12, n: 10, r: 13, t: 9 }

/**
 * Parses the rest of an escaped character after its first letter: `\t`, `\x41`, `\u0041`, `\0101`,
 * `\cA`, `\-`. Throws a PatternError for a letter that Java does not support.
 */
export function escapedCode(cursor: Cursor, letter: number): number {
  const name = String.fromCodePoint(letter)
  const control = CONTROLS[name]
  if (control !== undefined) return control
  switch (name) {
    case '0':
      return octal(cursor)
    case 'x':
      return hexadecimal(cursor)
    case 'u':
      return unicode(cursor)
    case 'c': {
      const code = cursor.takeRaw()
      if (code === END) return cursor.fail('Illegal control escape sequence')
      return code ^ 64
    }
    case 'N':
      throw PatternError.unsupported('a character by its name (\\N{...})')
    default:
      if (/[a-zA-Z]/.test(name)) return cursor.fail('Illegal/unsupported escape sequence')
      return letter
  }
}

function digit(cursor: Cursor, base: number): number | null {
  const code = cursor.peekRaw()
  const value = code === END ? Number.NaN : Number.parseInt(String.fromCodePoint(code), 36)
  if (Number.isNaN(value) || value >= base || code > 127) return null
  cursor.at++
  return value
}

function octal(cursor: Cursor): number {
  const first = digit(cursor, 8)
  if (first === null) return cursor.fail('Illegal octal escape sequence')
  const second = digit(cursor, 8)
  if (second === null) return first
  const third = first <= 3 ? digit(cursor, 8) : null
  return third === null ? first * 8 + second : first * 64 + second * 8 + third
}

function hexadecimal(cursor: Cursor): number {
  if (cursor.peekRaw() === 0x7b) {
    cursor.at++
    let code = 0
    let digits = 0
    for (let d = digit(cursor, 16); d !== null; d = digit(cursor, 16), digits++) {
      code = code * 16 + d
      if (code > 0x10ffff) return cursor.fail('Hexadecimal codepoint is too big')
    }
    if (digits === 0 || cursor.takeRaw() !== 0x7d) return cursor.fail('Unclosed hexadecimal escape sequence')
    return code
  }
  const first = digit(cursor, 16)
  const second = first === null ? null : digit(cursor, 16)
  if (first === null || second === null) return cursor.fail('Illegal hexadecimal escape sequence')
  return first * 16 + second
}

function unit(cursor: Cursor): number {
  let code = 0
  for (let i = 0; i < 4; i++) {
    const d = digit(cursor, 16)
    if (d === null) return cursor.fail('Illegal Unicode escape sequence')
    code = code * 16 + d
  }
  return code
}

function unicode(cursor: Cursor): number {
  const high = unit(cursor)
  if (high < 0xd800 || high > 0xdbff) return high
  const start = cursor.at
  if (cursor.takeRaw() === 0x5c && cursor.takeRaw() === 0x75) {
    const low = unit(cursor)
    if (low >= 0xdc00 && low <= 0xdfff) return ((high - 0xd800) << 10) + (low - 0xdc00) + 0x10000
  }
  cursor.at = start
  return high
}
