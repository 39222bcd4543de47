import type { ConfigKey, ConfigType, Importance, Validator } from '../../common/config/define.ts'

/** Long.MAX_VALUE, which is "never" or "no limit" in Kafka's settings; 2^63 once it is a double. */
export const LONG_MAX = 2 ** 63

function key<const T extends ConfigType>(type: T) {
  return <const D extends boolean | number | string | readonly string[] | null>(
    defaultValue: D,
    importance: Importance,
    documentation: string,
    validator?: Validator,
  ) => ({ type, default: defaultValue, importance, documentation, ...(validator && { validator }) })
}

/** Declarations in one line each: default, importance, what it does, and what is accepted. */
export const bool = key('BOOLEAN')
export const str = key('STRING')
export const int = key('INT')
export const short = key('SHORT')
export const long = key('LONG')
export const double = key('DOUBLE')
export const list = key('LIST')

/** A key that is accepted and checked and that nothing reads: mostly of what is not there yet. */
export function unused<const K extends ConfigKey>(declared: K): K & { readonly noEffect: string } {
  return { ...declared, noEffect: 'Millrace does not have this feature yet.' }
}

/** Whether Java reads a text as an `int`. */
export function isInt32(text: string): boolean {
  return /^[+-]?\d+$/.test(text) && Math.abs(Number(text)) < 2 ** 31
}

/** A configuration value as Kafka writes it in an answer: lists with commas, Long.MAX_VALUE in full. */
export function configText(value: unknown): string | null {
  if (value === null || value === undefined) return null
  if (Array.isArray(value)) return value.join(',')
  if (typeof value === 'number') {
    if (value >= LONG_MAX) return '9223372036854775807'
    if (value === Number.MAX_VALUE) return '1.7976931348623157E308'
  }
  return String(value)
}

/** One of some strings, or for a list each of its items; the words are Kafka's. */
export function oneOf(...values: string[]): Validator {
  return {
    describe: `[${values.join(', ')}]`,
    values,
    check(value) {
      const items = Array.isArray(value) ? value : value === null ? [] : [value]
      return items.every(i => values.includes(String(i))) ? null : `String must be one of: ${values.join(', ')}`
    },
  }
}
