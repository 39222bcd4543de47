import { JavaPattern } from '../regex/java-pattern.ts'
import type { Validator } from './define.ts'

/** Prints a DOUBLE as Java does: always with a fraction. */
export const doubleText = (value: number): string => (Number.isInteger(value) ? `${value}.0` : String(value))

/**
 * Accepts numbers of at least `min` and, if `max` is set, at most `max`. `show` prints the limits.
 */
export function range(min: number, max?: number, show: (limit: number) => string = String): Validator {
  return {
    ofNull: 'Value must be non-null',
    describe: max === undefined ? `at least ${min}` : `${min} to ${max}`,
    check(value) {
      if (value === null) return null
      if (typeof value !== 'number') return 'Value must be a number'
      if (value < min) return `Value must be at least ${show(min)}`
      if (max !== undefined && value > max) return `Value must be no more than ${show(max)}`
      return null
    },
  }
}

/** Accepts numbers from `min` to `max`, and the special value `other`. */
export function rangeOr(other: number, min: number, max: number): Validator {
  const inRange = range(min, max)
  return {
    ofNull: 'Value must be non-null',
    describe: `${inRange.describe}, or ${other}`,
    check: (value, name) =>
      value === other || inRange.check(value, name) === null
        ? null
        : `Value must be between ${min} and ${max} or equal to ${other}`,
  }
}

interface OneOfOptions {
  readonly ignoreCase?: boolean
  /** The part of the error message before the accepted values. Default: Kafka's message. */
  readonly message?: string
}

/**
 * Accepts only the given strings. In a list, each item must be one of them. With `ignoreCase`, the
 * parsed value has the spelling that is declared in `values`.
 */
export function oneOf<const V extends string>(values: readonly V[], options: OneOfOptions = {}): Validator<V> {
  const { ignoreCase = false } = options
  const fold = (text: unknown) => (ignoreCase ? String(text).toLowerCase() : String(text))
  const known = new Map(values.map(value => [fold(value), value]))
  const shown = ignoreCase && options.message === undefined ? values.map(value => value.toUpperCase()) : values
  const message =
    options.message ?? (ignoreCase ? 'String must be one of (case insensitive):' : 'String must be one of:')
  const wrong = `${message} ${shown.join(', ')}`
  const itemsOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [value])
  return {
    describe: values.length === 1 ? `only ${values[0]}` : `one of ${values.join(', ')}`,
    values,
    ofNull: wrong,
    check: value => (value === null || itemsOf(value).every(item => known.has(fold(item))) ? null : wrong),
    ...(ignoreCase && {
      canonical: value =>
        Array.isArray(value) ? value.map(v => known.get(fold(v)) ?? v) : (known.get(fold(value)) ?? value),
    }),
  }
}

/**
 * Accepts lists without empty or duplicate items (ConfigDef.ValidList). `of` lists the accepted
 * items. By default all items are accepted.
 */
export function distinctItems<const V extends string = string>(options: {
  allowEmpty: boolean
  of?: readonly V[]
}): Validator<V> {
  const { allowEmpty, of } = options
  const valid = of ? `[${of.join(', ')}]` : 'any non-empty value'
  const known: ReadonlySet<string> | undefined = of && new Set(of)
  return {
    describe: `${allowEmpty ? '' : 'non-empty '}list${of ? ` of ${of.join(', ')}` : ''} without duplicates`,
    ...(of && { values: of }),
    complete: true,
    ofNull: `Configuration '{name}' values must not be null.`,
    check(value, name) {
      const given = (value as string[] | null) ?? []
      const about = `Configuration '${name}'`
      if (value !== null && given.length === 0 && !allowEmpty)
        return `${about} must not be empty. Valid values include: ${valid}`
      if (new Set(given).size < given.length) return `${about} values must not be duplicated.`
      const wrong = given.find(item => item === '' || known?.has(item) === false)
      if (wrong === undefined) return null
      if (wrong === '') return `${about} values must not be empty.`
      return `Invalid value ${wrong} for configuration ${name}: String must be one of: ${of?.join(', ')}`
    },
  }
}

/** Accepts any string, including the empty string (ConfigDef.NonNullValidator). */
export const nonNull: Validator = {
  describe: 'non-null string',
  ofNull: 'entry must be non null',
  check: () => null,
}

/** Accepts lists in which every item is one of the given strings. */
export function listOf<const V extends string>(values: readonly V[]): Validator<V> {
  return {
    describe: values.length === 0 ? 'empty' : `list of ${values.join(', ')}`,
    values,
    check(value) {
      for (const item of (value as string[] | null) ?? []) {
        if (!values.includes(item as V)) return `${item} is not one of ${values.join(', ')}`
      }
      return null
    },
  }
}

/** Accepts strings with at least one character that is not white space. */
export const nonEmpty: Validator = {
  describe: 'non-empty string',
  check: value => (value !== null && String(value).trim() === '' ? 'String must be non-empty' : null),
}

/** Accepts a Java regular expression, or a list of them. */
export const regex: Validator = {
  describe: 'regular expression',
  ofNull: 'Invalid regex: the value is null',
  check(value) {
    for (const text of Array.isArray(value) ? value : value === null ? [] : [value]) {
      const wrong = JavaPattern.wrong(String(text))
      if (wrong !== null) return `Invalid regex: ${wrong}`
    }
    return null
  },
}

/** Returns a validator that applies several validators and reports the first error. */
export function all(...validators: Validator[]): Validator {
  const ofNull = validators.find(v => v.ofNull !== undefined)?.ofNull
  return {
    describe: validators.map(v => v.describe).join(', '),
    ...(ofNull !== undefined && { ofNull }),
    check(value, name) {
      for (const v of validators) {
        const wrong = v.check(value, name)
        if (wrong) return wrong
      }
      return null
    },
  }
}
