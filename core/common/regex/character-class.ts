import { complement, predefinedSet, rangeSet } from './char-sets.ts'
import { type Cursor, END } from './cursor.ts'
import { escapedCode } from './escapes.ts'
import type { Flags } from './flags.ts'
import { propertySet } from './properties.ts'

/** The maximum nesting of character classes. */
const MAX_DEPTH = 100

/** Parses a character class after its `[`, and returns it as a JavaScript set. */
export function characterClass(cursor: Cursor, flags: Flags, depth = 0): string {
  if (depth > MAX_DEPTH) cursor.fail('Character classes are nested too deep')
  const negated = cursor.peek() === 0x5e && !cursor.isQuoted
  if (negated) cursor.take()
  const set = content(cursor, flags, depth)
  cursor.take()
  return negated ? complement(set) : set
}

/** Parses the content up to the `]`, without consuming it. */
function content(cursor: Cursor, flags: Flags, depth: number): string {
  let left: string[] = []
  for (;;) {
    if (cursor.ended) cursor.fail('Unclosed character class')
    if (cursor.sees(']') && left.length > 0) return unionOf(left)
    if (cursor.seesText('&&')) {
      cursor.accept('&&')
      const right = operand(cursor, flags, depth)
      if (right.length > 0) left = left.length === 0 ? right : [intersection(left, right)]
      else if (left.length === 0) cursor.fail('Bad class syntax')
    } else if (cursor.sees('[')) {
      cursor.take()
      left.push(characterClass(cursor, flags, depth + 1))
    } else left.push(item(cursor, flags))
  }
}

/** Parses the right side of `&&`, up to the next `&&` or the end. */
function operand(cursor: Cursor, flags: Flags, depth: number): string[] {
  const sets: string[] = []
  while (!cursor.ended && !cursor.sees(']') && !cursor.sees('&')) {
    if (cursor.sees('[')) {
      cursor.take()
      sets.push(characterClass(cursor, flags, depth + 1))
    } else sets.push(content(cursor, flags, depth))
  }
  if (cursor.ended) cursor.fail('Unclosed character class')
  return sets
}

const unionOf = (sets: readonly string[]): string => `[${sets.join('')}]`
const intersection = (a: readonly string[], b: readonly string[]): string => `[${unionOf(a)}&&${unionOf(b)}]`

/** Parses one character, range, or predefined set. */
function item(cursor: Cursor, flags: Flags): string {
  const first = member(cursor, flags)
  if (typeof first === 'string') return first
  if (!cursor.sees('-')) return rangeSet(first, first, flags)
  const after = cursor.second()
  if (after === 0x5b || after === 0x5d) return rangeSet(first, first, flags)
  cursor.take()
  if (cursor.ended) cursor.fail('Illegal character range')
  const last = member(cursor, flags)
  if (typeof last === 'string' || last < first) return cursor.fail('Illegal character range')
  return rangeSet(first, last, flags)
}

/** Parses a code point, or the escape of a set. */
function member(cursor: Cursor, flags: Flags): number | string {
  const quoted = cursor.isQuoted
  const code = cursor.take()
  if (code !== 0x5c || quoted) return code
  const letter = cursor.takeRaw()
  if (letter === END) return cursor.fail('Illegal/unsupported escape sequence')
  return escapedSet(cursor, letter, flags) ?? escapedCode(cursor, letter)
}

/**
 * Parses an escape such as `\d` or `\p{Alpha}` after its letter. Returns null if it is not the
 * escape of a set.
 */
export function escapedSet(cursor: Cursor, letter: number, flags: Flags): string | null {
  const name = String.fromCodePoint(letter)
  if (name !== 'p' && name !== 'P') return predefinedSet(name, flags.unicodeClasses)
  let property = ''
  const first = cursor.take()
  if (first === END) cursor.fail('Unknown character property')
  if (first === 0x7b) {
    for (let c = cursor.takeRaw(); c !== 0x7d; c = cursor.takeRaw()) {
      if (c === END) cursor.fail('Unclosed character family')
      property += String.fromCodePoint(c)
    }
    if (property === '') cursor.fail('Empty character family')
  } else property = String.fromCodePoint(first)
  return propertySet(property, name === 'P', flags, cursor.at)
}
