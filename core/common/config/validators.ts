import { JavaPattern } from '../regex/java-pattern.ts'
import type { Validator } from './define.ts'

/** A number of at least `min` and, if given, at most `max`. */
export function range(min: number, max?: number): Validator {
  return {
    describe: max === undefined ? `[${min},...]` : `[${min},...,${max}]`,
    check(value) {
      if (value === null) return null
      if (typeof value !== 'number') return 'Value must be a number'
      if (value < min) return `Value must be at least ${min}`
      if (max !== undefined && value > max) return `Value must be no more than ${max}`
      return null
    },
  }
}

/** One of the given strings, exactly; `ignoreCase` for Debezium's enumerations. */
export function oneOf(values: readonly string[], options?: { ignoreCase?: boolean }): Validator {
  const fold = (s: string) => (options?.ignoreCase ? s.toLowerCase() : s)
  const known = new Set(values.map(fold))
  return {
    describe: `one of ${values.join(', ')}`,
    values,
    check: value =>
      value === null || known.has(fold(String(value))) ? null : `Value must be one of ${values.join(', ')}`,
  }
}

/** A list whose every item is one of the given strings. */
export function listOf(values: readonly string[]): Validator {
  return {
    describe: values.length === 0 ? 'empty' : `list of ${values.join(', ')}`,
    values,
    check(value) {
      for (const item of (value as string[] | null) ?? []) {
        if (!values.includes(item)) return `${item} is not one of ${values.join(', ')}`
      }
      return null
    },
  }
}

/** A string with at least one character that is not white space. */
export const nonEmpty: Validator = {
  describe: 'non-empty string',
  check: value => (value !== null && String(value).trim() === '' ? 'String must be non-empty' : null),
}

/** A regular expression of Java, or a list of them. */
export const regex: Validator = {
  describe: 'valid regular expression',
  check(value) {
    for (const text of Array.isArray(value) ? value : value === null ? [] : [value]) {
      const wrong = JavaPattern.wrong(String(text))
      if (wrong !== null) return `Invalid regex: ${wrong}`
    }
    return null
  },
}

/** All of them; the first complaint wins. */
export function all(...validators: Validator[]): Validator {
  return {
    describe: validators.map(v => v.describe).join(', '),
    check(value, name) {
      for (const v of validators) {
        const wrong = v.check(value, name)
        if (wrong) return wrong
      }
      return null
    },
  }
}
