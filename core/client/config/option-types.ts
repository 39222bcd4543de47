import type { ConfigDef, ConfigKey, ValueOf } from '../../common/config/define.ts'

/** Also accepts the number 1 for a literal such as '1'. */
type OrNumber<T> = T extends `${infer N extends number}` ? T | N : T
type Input<T> = T extends readonly (infer I)[] ? readonly I[] : OrNumber<T>
type InputOf<K extends ConfigKey> = Input<Exclude<ValueOf<K>, null>>

type OptionOf<K> = K extends { readonly option: infer O extends string } ? O : never
type RequiredOption<K> = K extends { readonly default: unknown } ? never : OptionOf<K>
type OptionalOption<K> = K extends { readonly default: unknown } ? OptionOf<K> : never

/**
 * The type of a client's options object, for a declaration of settings. An option is required if
 * its key has no default.
 */
export type ClientOptionsOf<D extends ConfigDef> = {
  readonly [N in keyof D as RequiredOption<D[N]>]: InputOf<D[N]>
} & {
  readonly [N in keyof D as OptionalOption<D[N]>]?: InputOf<D[N]> | undefined
}

/** The type of the parsed settings, by option name, for a declaration of settings. */
export type ClientSettingsOf<D extends ConfigDef> = {
  readonly [N in keyof D as OptionOf<D[N]>]: ValueOf<D[N]>
}
