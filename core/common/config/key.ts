import type { ConfigKey, ConfigType, Validator } from './define.ts'
import { doubleText, range } from './validators.ts'

type Default = ConfigKey['default']
type Shared = Omit<ConfigKey, 'type' | 'default' | 'validator' | 'option'>

/** The argument of a builder: the fields of a ConfigKey, without its type. */
interface Fields<D extends Default, V extends string, O extends string> extends Shared {
  readonly default?: D
  readonly validator?: Validator<V>
  readonly option?: O
}

interface NumberFields<D extends Default, O extends string> extends Fields<D, string, O> {
  /** The lowest valid number. */
  readonly min?: number
  /** The highest valid number. It has an effect only together with `min`. */
  readonly max?: number
}

/** A key with the literal types of its default, its accepted strings and its option name. */
type Key<T extends ConfigType, D, V extends string, O extends string> = Shared & {
  readonly type: T
  readonly validator?: Validator<V>
} & (undefined extends D ? unknown : { readonly default: D }) &
  (string extends O ? unknown : { readonly option: O })

function builder<T extends ConfigType, B extends Default>(type: T) {
  return <
    const D extends B | null | undefined = undefined,
    const V extends string = string,
    const O extends string = string,
  >(
    fields: Fields<D, V, O>,
  ) => ({ type, ...fields }) as unknown as Key<T, D, V, O>
}

function numberBuilder<T extends ConfigType>(type: T) {
  return <const D extends number | null | undefined = undefined, const O extends string = string>(
    fields: NumberFields<D, O>,
  ) => {
    const { min, max, ...rest } = fields
    return {
      type,
      ...(min !== undefined && { validator: range(min, max, type === 'DOUBLE' ? doubleText : undefined) }),
      ...rest,
    } as unknown as Key<T, D, string, O>
  }
}

/**
 * Builders of configuration keys, one for each of Kafka's types. A key without a default is
 * required. A key with the default null is optional.
 *
 *     const config = defineConfig({
 *       'batch.size': key.int({ default: 500, min: 1, importance: 'LOW', documentation: '...' }),
 *     })
 */
export const key = {
  boolean: builder<'BOOLEAN', boolean>('BOOLEAN'),
  string: builder<'STRING', string>('STRING'),
  list: builder<'LIST', string | readonly string[]>('LIST'),
  class: builder<'CLASS', string>('CLASS'),
  password: builder<'PASSWORD', string>('PASSWORD'),
  short: numberBuilder('SHORT'),
  int: numberBuilder('INT'),
  long: numberBuilder('LONG'),
  double: numberBuilder('DOUBLE'),
}
