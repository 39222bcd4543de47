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

test('any text is compiled, or rejected with a reason', () => {
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 14 }), pieces => {
      const wrong = JavaPattern.wrong(pieces.join(''))
      // The message must be about the Java pattern, and not about its JavaScript translation.
      expect(wrong ?? '').not.toMatch(/Invalid regular expression/)
    }),
    { numRuns: 3000 },
  )
})

test('a deeply nested pattern is rejected', () => {
  expect(JavaPattern.wrong('('.repeat(50_000))).toContain('nested groups')
  expect(JavaPattern.wrong('['.repeat(50_000))).toContain('nested too deep')
})

test('a match that takes exponential time is aborted', () => {
  expect(matchesInTime(JavaPattern.compile('(a+)+b'), 'a'.repeat(60), 50)).toBeNull()
  expect(matchesInTime(JavaPattern.compile('(a+)+b'), 'aab', 10_000)).toBe(true)
  expect(matchesInTime(JavaPattern.compile('(a+)+b'), 'aac', 10_000)).toBe(false)
})

test('a pattern with too many capturing groups is rejected, and other groups are not counted', () => {
  expect(JavaPattern.wrong('(a|b)'.repeat(2000))).toBeNull()
  expect(JavaPattern.wrong('(a|b)'.repeat(2001))).toContain('more than 2000 capturing groups')
  expect(JavaPattern.wrong('(?:a|b)'.repeat(5000))).toBeNull()
})

test('nested repetitions with possessive quantifiers do not take exponential time', () => {
  expect(JavaPattern.compile('(?:a++)+b').matches('a'.repeat(5_000))).toBe(false)
})
