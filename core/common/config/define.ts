import type { Password } from './password.ts'

/** Kafka's configuration types (org.apache.kafka.common.config.ConfigDef.Type). */
export type ConfigType = 'BOOLEAN' | 'STRING' | 'INT' | 'SHORT' | 'LONG' | 'DOUBLE' | 'LIST' | 'CLASS' | 'PASSWORD'
export type Importance = 'HIGH' | 'MEDIUM' | 'LOW'
export type Width = 'NONE' | 'SHORT' | 'MEDIUM' | 'LONG'

/** Checks a parsed value. `V` is the union of the accepted strings, where there is a finite set. */
export interface Validator<V extends string = string> {
  /**
   * Returns null for a valid value. Otherwise returns the reason, which completes "Invalid value X
   * for configuration K: ...".
   */
  check(value: unknown, name: string): string | null
  /**
   * The error for null, reported in addition to the error for a missing required key, as in Kafka.
   */
  readonly ofNull?: string
  /** Whether `check` returns the whole message, without "Invalid value X for configuration K: ". */
  readonly complete?: boolean
  /** The accepted values in words, for the documentation: `at least 1`, `one of a, b`. */
  readonly describe: string
  /** The accepted strings, where there is a finite set. REST recommends them. */
  readonly values?: readonly V[]
  /**
   * Converts a valid value to its canonical form, such as the declared spelling where case is
   * ignored.
   */
  canonical?(value: unknown): unknown
}

/**
 * The declaration of one key: the source of its type, its validation, its documentation and REST's
 * forms.
 */
export interface ConfigKey {
  readonly type: ConfigType
  /**
   * The default. A key without a default is required. `null` makes the key optional, without a
   * value.
   */
  readonly default?: boolean | number | string | readonly string[] | null | undefined
  readonly importance: Importance
  readonly documentation: string
  readonly validator?: Validator | undefined
  readonly group?: string
  /** The position in the group. Default: the order of declaration. */
  readonly orderInGroup?: number
  readonly width?: Width
  readonly displayName?: string
  /** Keys whose validity depends on this key's value. */
  readonly dependents?: readonly string[]
  /** Deprecated names of the key. The first name that is present wins. */
  readonly aliases?: readonly string[]
  /** Returns values to recommend, given the values of the other keys. */
  readonly recommend?: (values: Readonly<Record<string, unknown>>) => readonly string[]
  /** Whether REST's forms show the key. Default: true. */
  readonly visible?: boolean
  /** Hidden from REST and from the documentation. */
  readonly internal?: boolean
  /**
   * Why the key has no effect. The value is still checked. The text is a sentence for the
   * documentation.
   */
  readonly noEffect?: string
  /** The name of this setting in the client's programmatic options, such as `lingerMs`. */
  readonly option?: string
}

export type ConfigDef = Readonly<Record<string, ConfigKey>>

type Literals<K> = K extends { readonly validator?: Validator<infer V extends string> } ? V : string

interface TypeOf<K> {
  BOOLEAN: boolean
  STRING: Literals<K>
  INT: number
  SHORT: number
  LONG: number
  DOUBLE: number
  LIST: Literals<K>[]
  CLASS: string
  PASSWORD: Password
}

/**
 * The type of a key's parsed value: without null if the key is required or its default is not null.
 */
export type ValueOf<K extends ConfigKey> =
  | TypeOf<K>[K['type']]
  | (K extends { readonly default: infer D } ? (null extends D ? null : never) : never)

/** The parsed values of a declaration. */
export type ConfigValues<D extends ConfigDef> = { readonly [N in keyof D]: ValueOf<D[N]> }

/**
 * Declares configuration keys. Keeps their literal types, so that `ConfigValues<typeof def>` is
 * exact.
 */
export function defineConfig<const D extends ConfigDef>(def: D): D {
  return def
}

/** The documentation of a key, which begins with the reason if the key has no effect. */
export function documentationOf(key: ConfigKey): string {
  return key.noEffect === undefined ? key.documentation : `No effect: ${key.noEffect} ${key.documentation}`
}
