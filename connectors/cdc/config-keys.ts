import { type ConfigKey, oneOf, range, type Validator } from 'millrace/connect'
import { wrongPattern } from './patterns.ts'

type Importance = ConfigKey['importance']
interface Extra {
  readonly validator?: Validator
  readonly aliases?: readonly string[]
  readonly internal?: boolean
}

/** Short ways to write one key; each keeps the literal type of its default, on which the type of the value rests. */
export const bool = <const D extends boolean | null>(
  d: D,
  importance: Importance,
  documentation: string,
  extra: Extra = {},
) => ({ type: 'BOOLEAN', default: d, importance, documentation, ...extra }) as const
export const int = <const D extends number | null>(
  d: D,
  importance: Importance,
  documentation: string,
  extra: Extra = {},
) => ({ type: 'INT', default: d, importance, documentation, validator: range(0), ...extra }) as const
export const long = <const D extends number | null>(
  d: D,
  importance: Importance,
  documentation: string,
  extra: Extra = {},
) => ({ type: 'LONG', default: d, importance, documentation, validator: range(0), ...extra }) as const
export const text = <const D extends string | null>(
  d: D,
  importance: Importance,
  documentation: string,
  extra: Extra = {},
) => ({ type: 'STRING', default: d, importance, documentation, ...extra }) as const
export const list = <const D extends string | null>(
  d: D,
  importance: Importance,
  documentation: string,
  extra: Extra = {},
) => ({ type: 'LIST', default: d, importance, documentation, ...extra }) as const
export const classKey = <const D extends string | null>(
  d: D,
  importance: Importance,
  documentation: string,
  extra: Extra = {},
) => ({ type: 'CLASS', default: d, importance, documentation, ...extra }) as const
export const secret = (importance: Importance, documentation: string) =>
  ({ type: 'PASSWORD', default: null, importance, documentation }) as const
/** One of several values, case ignored as in Debezium. */
export const choice = <const D extends string | null>(
  d: D,
  values: readonly string[],
  importance: Importance,
  documentation: string,
) =>
  ({
    type: 'STRING',
    default: d,
    importance,
    documentation,
    validator: oneOf(values, { ignoreCase: true, message: 'Value must be one of' }),
  }) as const

/** There must be a value. */
export const required: Validator = {
  describe: 'required',
  check: value => (value === null || String(value).trim() === '' ? 'A value is required' : null),
}

/** A list of regular expressions, Debezium's way (patterns.ts). */
export const patterns: Validator = {
  describe: 'list of regular expressions',
  check: value => (value === null ? null : wrongPattern(Array.isArray(value) ? value.join(',') : String(value))),
}

/** A part of a topic's name. */
export const topicName: Validator = {
  describe: 'letters, digits, dot, underscore, hyphen',
  check: value =>
    value === null || /^[A-Za-z0-9._-]+$/.test(String(value))
      ? null
      : `${value} has invalid format (only the underscore, hyphen, dot and alphanumeric characters are allowed)`,
}

export const both = (a: Validator, b: Validator): Validator => ({
  describe: `${a.describe}, ${b.describe}`,
  check: (value, name) => a.check(value, name) ?? b.check(value, name),
})

/** A list as the text that it was written as. */
export const rawList = (value: readonly string[] | null): string | null =>
  value === null || value.length === 0 ? null : value.join(',')
