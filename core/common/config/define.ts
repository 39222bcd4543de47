import type { Password } from './password.ts'

/** Kafka's configuration types (org.apache.kafka.common.config.ConfigDef.Type). */
export type ConfigType = 'BOOLEAN' | 'STRING' | 'INT' | 'SHORT' | 'LONG' | 'DOUBLE' | 'LIST' | 'CLASS' | 'PASSWORD'
export type Importance = 'HIGH' | 'MEDIUM' | 'LOW'
export type Width = 'NONE' | 'SHORT' | 'MEDIUM' | 'LONG'

/**
 * Checks a parsed value. If only certain strings are accepted, `V` is the union of these strings.
 */
export interface Validator<V extends string = string> {
  /**
   * Returns null for a valid value. Otherwise returns the reason, which completes "Invalid value X
   * for configuration K: ...".
   */
  check(value: unknown, name: string): string | null
  /** The error for the value null. As in Kafka, a missing required key gets this error too. */
  readonly ofNull?: string
  /**
   * If true, `check` returns the complete message, and "Invalid value X for configuration K: " is
   * not added.
   */
  readonly complete?: boolean
  /** The accepted values in words, for the documentation: `at least 1`, `one of a, b`. */
  readonly describe: string
  /** The accepted strings, if only certain strings are accepted. REST recommends them. */
  readonly values?: readonly V[]
  /**
   * Converts a valid value to its canonical form, such as the declared spelling if case is ignored.
   */
  canonical?(value: unknown): unknown
}

/**
 * The declaration of one key. The key's type, validation, documentation and description in REST are
 * derived from it.
 */
export interface ConfigKey {
  readonly type: ConfigType
  /**
   * The default. A key without a default is required. A key with the default `null` is optional.
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
  /** Deprecated names of the key. If several names are present, the first one is used. */
  readonly aliases?: readonly string[]
  /** Returns the recommended values, which may depend on the values of other keys. */
  readonly recommend?: (values: Readonly<Record<string, unknown>>) => readonly string[]
  /** Whether REST reports the key as visible. Default: true. */
  readonly visible?: boolean
  /** Whether the key is hidden from REST and from the documentation. */
  readonly internal?: boolean
  /**
   * The reason why the key has no effect, as a sentence for the documentation. The value is still
   * checked.
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

/** The type of a key's parsed value. It includes null only if the key's default is null. */
export type ValueOf<K extends ConfigKey> =
  | TypeOf<K>[K['type']]
  | (K extends { readonly default: infer D } ? (null extends D ? null : never) : never)

/** The parsed values of the declared keys. */
export type ConfigValues<D extends ConfigDef> = { readonly [N in keyof D]: ValueOf<D[N]> }

/**
 * Returns the declaration of configuration keys with its literal types, so that
 * `ConfigValues<typeof def>` is exact.
 */
export function defineConfig<const D extends ConfigDef>(def: D): D {
  return def
}

/**
 * Returns the documentation of a key. If the key has no effect, the documentation begins with the
 * reason.
 */
export function documentationOf(key: ConfigKey): string {
  return key.noEffect === undefined ? key.documentation : `No effect: ${key.noEffect} ${key.documentation}`
}
