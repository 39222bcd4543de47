import fc from 'fast-check'
import { expect, test } from 'vitest'
import { matchesInTime } from './bounded.ts'
import { JavaPattern } from './java-pattern.ts'

const piece = fc.oneof(
  fc.constantFrom('a', 'B', '1', '_', '-', ' ', '\n', 'é', '😀', '/', '~', '!', '&', ':', '=', ',', '.', '^', '$', '|'),
  fc.constantFrom(
    '*',
    '+',
    '?',
    '{1,2}',
    '{2}',
    '*+',
    '+?',
    '(',
    ')',
    '(?:',
    '(?=',
    '(?<!',
    '(?>',
    '(?<n>',
    '(?i)',
    '(?x)',
  ),
  fc.constantFrom(
    '[',
    ']',
    '[^',
    '&&',
    '\\d',
    '\\w',
    '\\b',
    '\\R',
    '\\Q',
    '\\E',
    '\\1',
    '\\k<n>',
    '\\p{Alpha}',
    '\\-',
    '\\\\',
  ),
)

test('every text is compiled, or rejected with the reason', () => {
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 14 }), pieces => {
      const wrong = JavaPattern.wrong(pieces.join(''))
      // The message must be ours, not that of JavaScript about the translated pattern.
      expect(wrong ?? '').not.toMatch(/Invalid regular expression/)
    }),
    { numRuns: 3000 },
  )
})

test('deep nesting is rejected', () => {
  expect(JavaPattern.wrong('('.repeat(50_000))).toContain('nested groups')
  expect(JavaPattern.wrong('['.repeat(50_000))).toContain('nested too deep')
})

test('a pattern that takes exponential time is aborted', () => {
  expect(matchesInTime(JavaPattern.compile('(a+)+b'), 'a'.repeat(60), 50)).toBeNull()
  expect(matchesInTime(JavaPattern.compile('(a+)+b'), 'aab', 10_000)).toBe(true)
  expect(matchesInTime(JavaPattern.compile('(a+)+b'), 'aac', 10_000)).toBe(false)
})

test('more capturing groups than V8 compiles in reasonable time are rejected; other groups are not counted', () => {
  expect(JavaPattern.wrong('(a|b)'.repeat(2000))).toBeNull()
  expect(JavaPattern.wrong('(a|b)'.repeat(2001))).toContain('more than 2000 capturing groups')
  expect(JavaPattern.wrong('(?:a|b)'.repeat(5000))).toBeNull()
})

test('a nested repetition with possessive quantifiers does not take exponential time', () => {
  expect(JavaPattern.compile('(?:a++)+b').matches('a'.repeat(5_000))).toBe(false)
})
