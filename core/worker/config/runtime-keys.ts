import {
  type ConfigKey,
  type ConfigType,
  documentationOf,
  type Importance,
  type Width,
} from '../../common/config/define.ts'
import { checkKey, shownValue, valueText } from '../../common/config/parse.ts'
import type { GivenProps } from './given-props.ts'

/** The declaration of a key, as REST returns it. */
export interface KeyDefinition {
  readonly name: string
  readonly type: ConfigType
  readonly required: boolean
  readonly default_value: string | null
  readonly importance: Importance
  readonly documentation: string
  readonly group: string | null
  readonly order_in_group: number
  readonly width: Width
  readonly display_name: string
  readonly dependents: readonly string[]
}

/** The value of a key in a given configuration, as REST returns it. */
export interface KeyValue {
  readonly name: string
  readonly value: string | null
  readonly recommended_values: readonly string[]
  readonly errors: readonly string[]
  readonly visible: boolean
}

export interface KeyInfo {
  readonly definition: KeyDefinition
  readonly value: KeyValue
}

/** Returns the declaration of a runtime key in REST's format. */
export function definitionOf(name: string, key: ConfigKey): KeyDefinition {
  return {
    name,
    type: key.type,
    required: key.default === undefined,
    default_value: valueText(key.default),
    importance: key.importance,
    documentation: documentationOf(key),
    group: key.group ?? null,
    order_in_group: key.orderInGroup ?? -1,
    width: key.width ?? 'NONE',
    display_name: key.displayName ?? name,
    dependents: key.dependents ?? [],
  }
}

/**
 * Checks one key of the runtime like Kafka's ConfigDef: if a value cannot be parsed, the
 * validator's error for null is also reported.
 */
export function checkRuntimeKey(name: string, key: ConfigKey, props: GivenProps): KeyInfo {
  const { value, errors } = checkKey(name, key, props, props[name] === null)
  return {
    definition: definitionOf(name, key),
    value: {
      name,
      value: shownValue(value),
      recommended_values: key.recommend?.({}) ?? [],
      errors,
      visible: key.visible ?? true,
    },
  }
}

/** Returns the key with the errors added. */
export function withErrors(info: KeyInfo, errors: readonly string[]): KeyInfo {
  return errors.length === 0 ? info : { ...info, value: { ...info.value, errors: [...info.value.errors, ...errors] } }
}
