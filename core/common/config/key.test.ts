import { expect, expectTypeOf, test } from 'vitest'
import { type ConfigValues, defineConfig, documentationOf } from './define.ts'
import { key } from './key.ts'
import { type ConfigError, parseConfig } from './parse.ts'
import type { Password } from './password.ts'
import { listOf, oneOf, range } from './validators.ts'

const about = { importance: 'LOW', documentation: '' } as const
const MODES = ['fast', 'safe'] as const

const config = defineConfig({
  required: key.string(about),
  optional: key.string({ default: null, ...about }),
  count: key.int({ default: 5, min: 1, max: 10, ...about }),
  limit: key.long({ default: null, min: 0, ...about }),
  ratio: key.double({ default: 0.5, ...about }),
  on: key.boolean({ default: true, ...about }),
  names: key.list({ default: [], ...about }),
  secret: key.password({ default: null, ...about }),
  mode: key.string({ default: 'fast', validator: oneOf(MODES), ...about }),
  level: key.string({ default: null, validator: oneOf(['High', 'Low'], { ignoreCase: true }), ...about }),
  roles: key.list({ default: 'a', validator: listOf(['a', 'b']), ...about }),
  idle: key.class({ default: 'x', noEffect: 'It is not supported.', ...about }),
})

test('the values of built keys have exact types', () => {
  interface Expected {
    readonly required: string
    readonly optional: string | null
    readonly count: number
    readonly limit: number | null
    readonly ratio: number
    readonly on: boolean
    readonly names: string[]
    readonly secret: Password | null
    readonly mode: 'fast' | 'safe'
    readonly level: 'High' | 'Low' | null
    readonly roles: ('a' | 'b')[]
    readonly idle: string
  }
  expectTypeOf<ConfigValues<typeof config>>().branded.toEqualTypeOf<Expected>()
})

test('keys can be declared as object literals, and their values have the same exact types', () => {
  const literals = defineConfig({
    mode: { type: 'STRING', default: 'fast', validator: oneOf(['fast', 'safe']), ...about },
    many: { type: 'LIST', default: null, validator: oneOf(MODES), ...about },
    count: { type: 'INT', validator: range(1), ...about },
    name: { type: 'STRING', default: null, ...about },
  })
  expectTypeOf<ConfigValues<typeof literals>>().branded.toEqualTypeOf<{
    readonly mode: 'fast' | 'safe'
    readonly many: ('fast' | 'safe')[] | null
    readonly count: number
    readonly name: string | null
  }>()
  expect(parseConfig(literals, { count: '1' }).mode).toBe('fast')
})

test('an invalid default, a misspelt field or a missing field does not compile', () => {
  // @ts-expect-error a string is not an INT
  key.int({ default: '5', ...about })
  // @ts-expect-error there is no such field
  key.boolean({ default: true, defualt: false, ...about })
  // @ts-expect-error the importance is missing
  key.list({ default: [], documentation: '' })
})

test('min and max become a validator', () => {
  const errors = (raw: Record<string, string>) => {
    try {
      parseConfig(config, { required: 'x', ...raw })
    } catch (error) {
      return (error as ConfigError).errors.map(e => e.message)
    }
    return []
  }
  expect(errors({ count: '1', limit: '0' })).toEqual([])
  expect(errors({ count: '0', limit: '-1' })).toEqual([
    'Invalid value 0 for configuration count: Value must be at least 1',
    'Invalid value -1 for configuration limit: Value must be at least 0',
  ])
  expect(errors({ count: '11' })).toEqual(['Invalid value 11 for configuration count: Value must be no more than 10'])
})

test('if case is ignored, the parsed value has the declared spelling', () => {
  expect(parseConfig(config, { required: 'x', level: 'hIgH' }).level).toBe('High')
  expect(() => parseConfig(config, { required: 'x', level: 'none' })).toThrow(
    'Invalid value none for configuration level: String must be one of (case insensitive): HIGH, LOW',
  )
})

test('the documentation of a key without effect begins with the reason', () => {
  const idle = key.boolean({
    default: true,
    noEffect: 'Java only.',
    importance: 'LOW',
    documentation: 'Loads a class.',
  })
  expect(documentationOf(idle)).toBe('No effect: Java only. Loads a class.')
  expect(documentationOf(config.mode)).toBe('')
})
