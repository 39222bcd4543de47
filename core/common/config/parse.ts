import { MillraceError } from '../errors/error-table.ts'
import { javaTrim } from '../java-text.ts'
import type { ConfigDef, ConfigKey, ConfigType, ConfigValues } from './define.ts'
import { HIDDEN, hideInValue, Password } from './password.ts'
import { doubleText } from './validators.ts'

/** A configuration before parsing, from JSON, a properties file or a program. */
export type RawConfig = Readonly<Record<string, string | number | boolean | readonly string[] | null | undefined>>

/** The result of validating one key, as REST's validate endpoint returns it. */
export interface ConfigValue {
  readonly name: string
  /** The value as text, or null. A password is `[hidden]`. */
  readonly value: string | null
  readonly recommendedValues: readonly string[]
  readonly errors: string[]
  readonly visible: boolean
}

/** All errors of a configuration. `errors` has one entry per invalid key. */
export class ConfigError extends MillraceError {
  readonly errors: ReadonlyArray<{ readonly key: string; readonly message: string }>

  constructor(errors: ReadonlyArray<{ readonly key: string; readonly message: string }>) {
    super(
      'MR_CONFIG_INVALID',
      { message: '{what}', fix: 'Correct these keys and try again.' },
      { what: errors.map(e => e.message.replace(/\.$/, '')).join('; ') },
    )
    this.name = 'ConfigError'
    this.errors = errors
  }
}

/**
 * Calls `run`. If `run` throws a ConfigError, throws a copy of the error in which each key has the
 * name that `nameOf` returns, such as the name with the prefix that users write.
 */
export function withKeyNames<T>(nameOf: (key: string) => string, run: () => T): T {
  try {
    return run()
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    throw new ConfigError(error.errors.map(({ key, message }) => renamed(key, message, nameOf(key))))
  }
}

function renamed(key: string, message: string, name: string): { key: string; message: string } {
  if (name === key) return { key, message }
  for (const place of ['for configuration KEY', 'configuration "KEY"']) {
    const [before, after] = [key, name].map(k => place.replace('KEY', () => k))
    if (message.includes(before!)) return { key: name, message: message.replace(before!, () => after!) }
  }
  return { key: name, message: `${name}: ${message}` }
}

const NOT_OF_TYPE: Partial<Record<ConfigType, string>> = {
  INT: 'Not a number of type INT',
  SHORT: 'Not a number of type SHORT',
  LONG: 'Not a number of type LONG',
  DOUBLE: 'Not a number of type DOUBLE',
}
const INTEGER_LIMIT: Partial<Record<ConfigType, number>> = { SHORT: 2 ** 15, INT: 2 ** 31, LONG: 2 ** 63 }

function parseInteger(text: string, limit: number): number | null {
  if (!/^[+-]?\d+$/.test(text)) return null
  const n = BigInt(text.replace('+', ''))
  return n >= -BigInt(limit) && n < BigInt(limit) ? Number(n) : null
}

/** Splits a list as ConfigDef does. Only ASCII white space around commas is removed. */
function splitList(text: string): string[] {
  const trimmed = javaTrim(text)
  return trimmed === '' ? [] : trimmed.split(/[ \t\n\v\f\r]*,[ \t\n\v\f\r]*/)
}

/** Returns the non-empty items of a list. */
export function listItems(text: string | null | undefined): string[] {
  return splitList(text ?? '').filter(item => item !== '')
}

/** Parses one value as ConfigDef.parseType does. Throws a TypeError whose message is the reason. */
export function parseType(type: ConfigType, raw: unknown): unknown {
  if (raw === null || raw === undefined) return null
  const text = typeof raw === 'string' ? javaTrim(raw) : String(raw)
  switch (type) {
    case 'BOOLEAN': {
      const lower = text.toLowerCase()
      if (lower === 'true') return true
      if (lower === 'false') return false
      throw new TypeError('Expected value to be either true or false')
    }
    case 'INT':
    case 'SHORT':
    case 'LONG': {
      // A default may be the number 2^63, which represents Java's Long.MAX_VALUE.
      const n = raw === 2 ** 63 && type === 'LONG' ? raw : parseInteger(text, INTEGER_LIMIT[type]!)
      if (n === null) throw new TypeError(NOT_OF_TYPE[type])
      return n
    }
    case 'DOUBLE': {
      if (text === '' || Number.isNaN(Number(text))) throw new TypeError(NOT_OF_TYPE[type])
      return Number(text)
    }
    case 'LIST':
      if (Array.isArray(raw)) return raw.map(String)
      return splitList(text)
    case 'PASSWORD':
      return raw instanceof Password ? raw : new Password(String(raw))
    case 'CLASS':
    case 'STRING':
      return text
  }
}

function rawOf(name: string, key: ConfigKey, raw: RawConfig): unknown {
  for (const n of [name, ...(key.aliases ?? [])]) {
    const value = raw[n]
    if (value !== undefined && value !== null) return value
  }
  return undefined
}

/** Returns a value as text: a list with commas, a password as `[hidden]`. Returns null for null. */
export function valueText(value: unknown): string | null {
  if (value === null || value === undefined) return null
  return Array.isArray(value) ? value.join(',') : String(value)
}

/** Returns a value as REST and error messages show it: with the passwords in URLs hidden. */
export function shownValue(value: unknown): string | null {
  const text = valueText(value)
  return text === null ? null : hideInValue(text)
}

/** Prints a value as Java does: a list as `[a, b]`, a DOUBLE with a fraction. */
function javaText(type: ConfigType, value: unknown): string {
  if (type === 'DOUBLE' && typeof value === 'number') return doubleText(value)
  return hideInValue(Array.isArray(value) ? `[${value.join(', ')}]` : String(value))
}

interface Checked {
  /** The parsed value, or null if the value cannot be parsed. */
  readonly value: unknown
  readonly errors: string[]
}

/**
 * Parses and checks one key. If `isNull` is true, the configuration contains the key with the value
 * null, so the key is not missing.
 */
export function checkKey(name: string, key: ConfigKey, raw: RawConfig, isNull = false): Checked {
  if (isNull) return { value: null, errors: errorsOfNull(name, key) }
  const given = rawOf(name, key, raw)
  if (given === undefined && key.default === undefined) {
    const missing = `Missing required configuration "${name}" which has no default value.`
    return { value: null, errors: [missing, ...errorsOfNull(name, key)] }
  }
  const shown = key.type === 'PASSWORD' ? HIDDEN : shownValue(given)
  let value: unknown
  try {
    value = given === undefined ? parseType(key.type, key.default) : parseType(key.type, given)
  } catch (error) {
    const wrong = `Invalid value ${shown} for configuration ${name}: ${(error as Error).message}`
    return { value: null, errors: [wrong, ...errorsOfNull(name, key)] }
  }
  const wrong = key.validator?.check(value, name) ?? null
  return { value, errors: wrong === null ? [] : [messageOf(name, key, value, wrong)] }
}

function messageOf(name: string, key: ConfigKey, value: unknown, wrong: string): string {
  if (key.validator?.complete) return hideInValue(wrong)
  const shown = key.type === 'PASSWORD' && value !== null ? HIDDEN : javaText(key.type, value)
  return `Invalid value ${shown} for configuration ${name}: ${hideInValue(wrong)}`
}

/**
 * Returns the validator's errors for null. As in Kafka, a value that is missing or cannot be parsed
 * has these errors too.
 */
function errorsOfNull(name: string, key: ConfigKey): string[] {
  const wrong = key.validator?.ofNull
  return wrong === undefined ? [] : [messageOf(name, key, null, wrong.replace('{name}', name))]
}

/**
 * Validates all keys of a declaration. Never throws, and ignores unknown keys. `nulls` are the keys
 * that the configuration sets to null. They do not count as missing.
 */
export function validateConfig(def: ConfigDef, raw: RawConfig, nulls: readonly string[] = []): ConfigValue[] {
  const checked = new Map(
    Object.entries(def).map(([name, key]) => [name, checkKey(name, key, raw, nulls.includes(name))]),
  )
  const values = Object.fromEntries([...checked].map(([name, c]) => [name, c.value]))
  return Object.entries(def).map(([name, key]) => {
    const { value, errors } = checked.get(name)!
    const given = rawOf(name, key, raw)
    const text =
      errors.length > 0 && given !== undefined && key.type !== 'PASSWORD' ? shownValue(given) : shownValue(value)
    const recommended = key.recommend?.(values) ?? key.validator?.values ?? []
    return { name, value: text, recommendedValues: recommended, errors, visible: key.visible ?? true }
  })
}

function canonical(key: ConfigKey, value: unknown): unknown {
  return value === null ? null : (key.validator?.canonical?.(value) ?? value)
}

/** Returns the typed values of a declaration. Throws a ConfigError that names every invalid key. */
export function parseConfig<D extends ConfigDef>(def: D, raw: RawConfig): ConfigValues<D> {
  const errors: { key: string; message: string }[] = []
  const values: Record<string, unknown> = {}
  for (const [name, key] of Object.entries(def)) {
    const checked = checkKey(name, key, raw)
    const [message] = checked.errors
    if (message !== undefined) errors.push({ key: name, message })
    else values[name] = canonical(key, checked.value)
  }
  if (errors.length > 0) throw new ConfigError(errors)
  return values as ConfigValues<D>
}
