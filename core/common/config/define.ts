import type { Password } from './password.ts'

/** Kafka's configuration types (org.apache.kafka.common.config.ConfigDef.Type). */
export type ConfigType = 'BOOLEAN' | 'STRING' | 'INT' | 'SHORT' | 'LONG' | 'DOUBLE' | 'LIST' | 'CLASS' | 'PASSWORD'
export type Importance = 'HIGH' | 'MEDIUM' | 'LOW'
export type Width = 'NONE' | 'SHORT' | 'MEDIUM' | 'LONG'

interface TypeOf {
  BOOLEAN: boolean
  STRING: string
  INT: number
  SHORT: number
  LONG: number
  DOUBLE: number
  LIST: string[]
  CLASS: string
  PASSWORD: Password
}

/** Returns null when the value is fine, else what is wrong with it, in words that complete "Invalid value X for configuration K: ...". */
export interface Validator {
  check(value: unknown, name: string): string | null
  /**
   * The error for null, reported in addition to the error for a missing required key, as in Kafka.
   */
  readonly ofNull?: string
  /** Whether its text is the whole message, without "Invalid value X for configuration K: ". */
  readonly complete?: boolean
  /** What is accepted, for the documentation: `[1,...]`, `one of a, b`. */
  readonly describe: string
  /** The finite set of accepted values, if there is one: what validate recommends. */
  readonly values?: readonly string[]
}

/** The declaration of one configuration key: the source of validation, documentation, forms, help and the TypeScript type. */
export interface ConfigKey {
  readonly type: ConfigType
  /** The default. A key without one is required; `null` makes it optional without a value. */
  readonly default?: boolean | number | string | readonly string[] | null
  readonly importance: Importance
  readonly documentation: string
  readonly validator?: Validator
  readonly group?: string
  readonly width?: Width
  readonly displayName?: string
  /** Keys whose validity depends on this one's value. */
  readonly dependents?: readonly string[]
  /** Other names under which the value may stand (deprecated spellings); the first that is present wins. */
  readonly aliases?: readonly string[]
  /** Values worth offering, given the other values. */
  readonly recommend?: (values: Readonly<Record<string, unknown>>) => readonly string[]
  /** Not shown by REST or in the documentation. */
  readonly internal?: boolean
  /** Its value is checked, and nothing follows: the documentation says so. */
  readonly noEffect?: boolean
}

export type ConfigDef = Readonly<Record<string, ConfigKey>>

type ValueOf<K extends ConfigKey> = K extends { default: null } ? TypeOf[K['type']] | null : TypeOf[K['type']]

/** The parsed values of a declaration. */
export type ConfigValues<D extends ConfigDef> = { readonly [N in keyof D]: ValueOf<D[N]> }

/** Declares configuration keys; keeps their literal types, so that `ConfigValues<typeof def>` is exact. */
export function defineConfig<const D extends ConfigDef>(def: D): D {
  return def
}
