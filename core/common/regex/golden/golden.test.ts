import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { JavaPattern } from '../java-pattern.ts'
import { PatternError } from '../pattern-error.ts'

interface Case {
  pattern: string
  inputs: string[]
  replacement?: string
  flags?: 'i'
  /** The reason why JavaScript cannot express the pattern. The error must contain this text. */
  unsupported?: string
  /** The groups whose text can differ from Java's. */
  unreliable?: number[]
}

interface Result {
  groups: (string | null | undefined)[] | null
  replaced?: string
  error?: string
}

interface Answer {
  pattern: string
  error?: string
  results?: Result[]
}

const read = <T>(name: string): T => JSON.parse(readFileSync(new URL(name, import.meta.url), 'utf8')) as T
const cases = read<Case[]>('cases.json')
const expected = read<Answer[]>('expected.json')

const hidden = (groups: Result['groups'], unreliable: readonly number[]): Result['groups'] =>
  groups?.map((g, i) => (unreliable.includes(i + 1) ? undefined : g)) ?? null

function answer(c: Case): Result[] | { error: string; isSyntax: boolean } {
  try {
    const pattern = JavaPattern.compile(c.pattern, { ignoreCase: c.flags === 'i' })
    expect([...pattern.unreliableGroups].sort()).toEqual(c.unreliable ?? [])
    return c.inputs.map(input => {
      const result: Result = { groups: pattern.groups(input) }
      if (c.replacement === undefined) return result
      try {
        result.replaced = pattern.replaceFirst(input, pattern.replacement(c.replacement))
      } catch (error) {
        result.error = (error as Error).message
      }
      return result
    })
  } catch (error) {
    if (!(error instanceof PatternError)) throw error
    return { error: error.message, isSyntax: error.isSyntax }
  }
}

test.each(cases.map((c, i) => [c.pattern, c, expected[i]!] as const))('behaves as in Java: %s', (_name, c, java) => {
  expect(java.pattern).toBe(c.pattern)
  const ours = answer(c)
  if (c.unsupported !== undefined) {
    expect(ours).toEqual({ error: expect.stringContaining(c.unsupported), isSyntax: false })
    return
  }
  if (java.error !== undefined) {
    expect(ours).toEqual({ error: expect.any(String), isSyntax: true })
    return
  }
  // The wording of error messages may differ.
  const comparable = (r: Result) => ({
    ...r,
    groups: hidden(r.groups, c.unreliable ?? []),
    ...(r.error !== undefined && { error: true }),
  })
  expect(Array.isArray(ours) ? ours.map(comparable) : ours).toEqual(java.results!.map(comparable))
})

test('a replacement cannot use a group that may differ from Java', () => {
  expect(() => JavaPattern.compile('(?:(a)|b)*').replacement('$1')).toThrow('a reference ($1) to a group')
})
