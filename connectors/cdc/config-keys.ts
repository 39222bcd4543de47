import { oneOf, type Validator } from 'millrace/connect'
import { wrongPattern } from './patterns.ts'

/** Accepts one of several values. Ignores case, and reports errors in Debezium's words. */
export const mode = <const V extends string>(values: readonly V[]): Validator<V> =>
  oneOf(values, { ignoreCase: true, message: 'Value must be one of' })

/** Rejects a missing or blank value. */
export const required: Validator = {
  describe: 'required',
  check: value => (value === null || String(value).trim() === '' ? 'A value is required' : null),
}

/** Accepts a list of regular expressions in Debezium's syntax (patterns.ts). */
export const patterns: Validator = {
  describe: 'list of regular expressions',
  check: value => (value === null ? null : wrongPattern(Array.isArray(value) ? value.join(',') : String(value))),
}

/** Accepts a part of the name of a topic. */
export const topicName: Validator = {
  describe: 'letters, digits, dot, underscore, hyphen',
  check: value =>
    value === null || /^[A-Za-z0-9._-]+$/.test(String(value))
      ? null
      : `${value} has invalid format (only the underscore, hyphen, dot and alphanumeric characters are allowed)`,
}

/**
 * Returns a part of the declaration of a key whose feature Millrace does not have. The key accepts
 * only its default and the empty value, so that no other value is ignored silently.
 */
export function unsupported<const D extends boolean | number | string | null>(value: D, reason: string) {
  const shown = String(value ?? '').toLowerCase()
  const validator: Validator = {
    describe: 'only the default',
    check(given) {
      const text = Array.isArray(given) ? given.join(',') : String(given ?? '')
      return text === '' || text.toLowerCase() === shown ? null : `${reason} Remove this key.`
    },
  }
  return { default: value, noEffect: reason, validator }
}

/** Returns the text of a list as it was configured, or null for an empty list. */
export const rawList = (value: readonly string[] | null): string | null =>
  value === null || value.length === 0 ? null : value.join(',')
