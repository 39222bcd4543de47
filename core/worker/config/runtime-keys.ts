import type { ConfigType, Importance, Width } from '../../common/config/define.ts'
import { parseType } from '../../common/config/parse.ts'
import { HIDDEN } from '../../common/config/password.ts'
import { JavaPattern } from '../../common/regex/java-pattern.ts'
import type { GivenProps } from './given-props.ts'

/** A key that the runtime itself, not a plugin, gives every connector. In the order and groups of Connect. */
export interface RuntimeKey {
  readonly name: string
  readonly type: ConfigType
  /** Undefined: required. Null: optional without a value. */
  readonly default?: string | null | undefined
  readonly importance: Importance
  readonly documentation: string
  readonly group: string | null
  readonly orderInGroup: number
  readonly width: Width
  readonly displayName: string
  /** The wording of Connect's validators, which REST answers repeat. Gets null for a value that could not be parsed. */
  readonly check?: (value: unknown) => string | null
  /** Whether the words of `check` are the whole message. */
  readonly complete?: boolean
  readonly recommended?: readonly string[]
  readonly visible?: boolean
}

/** What REST says about one key: its declaration. */
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

/** And its value, in a given configuration. */
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

export function definitionOf(key: RuntimeKey): KeyDefinition {
  return {
    name: key.name,
    type: key.type,
    required: key.default === undefined,
    default_value: key.default ?? null,
    importance: key.importance,
    documentation: key.documentation,
    group: key.group,
    order_in_group: key.orderInGroup,
    width: key.width,
    display_name: key.displayName,
    dependents: [],
  }
}

/** Checks one key as ConfigDef does: parse errors first, then the validator's, each in Connect's words. */
export function checkRuntimeKey(key: RuntimeKey, props: GivenProps): KeyInfo {
  const given = props[key.name]
  const errors: string[] = []
  let parsed: unknown = null
  if (given === undefined && key.default === undefined) {
    errors.push(`Missing required configuration "${key.name}" which has no default value.`)
  } else {
    try {
      parsed = parseType(key.type, given === undefined ? key.default : given)
    } catch (error) {
      errors.push(`Invalid value ${given} for configuration ${key.name}: ${(error as Error).message}`)
    }
    const wrong = key.check?.(parsed) ?? null
    if (wrong !== null && key.complete) errors.push(wrong)
    else if (wrong !== null) errors.push(`Invalid value ${shown(parsed)} for configuration ${key.name}: ${wrong}`)
  }
  const value = key.type === 'PASSWORD' && parsed !== null ? HIDDEN : textOf(parsed)
  return {
    definition: definitionOf(key),
    value: {
      name: key.name,
      value,
      recommended_values: key.recommended ?? [],
      errors,
      visible: key.visible ?? true,
    },
  }
}

function textOf(value: unknown): string | null {
  if (value === null || value === undefined) return null
  return Array.isArray(value) ? value.join(',') : String(value)
}

/** As Java prints it: a list as `[a, b]`. */
function shown(value: unknown): string {
  return Array.isArray(value) ? `[${value.join(', ')}]` : String(value)
}

/** The same key with more errors. */
export function withErrors(info: KeyInfo, errors: readonly string[]): KeyInfo {
  return errors.length === 0 ? info : { ...info, value: { ...info.value, errors: [...info.value.errors, ...errors] } }
}

export const checks = {
  atLeast: (min: number) => (value: unknown) => {
    if (value === null) return 'Value must be non-null'
    return (value as number) < min ? `Value must be at least ${min}` : null
  },
  oneOf:
    (...values: string[]) =>
    (value: unknown) =>
      values.includes(value as string) ? null : `String must be one of: ${values.join(', ')}`,
  oneOfIgnoringCase:
    (...values: string[]) =>
    (value: unknown) =>
      value !== null && values.some(v => v.toLowerCase() === String(value).toLowerCase())
        ? null
        : `String must be one of (case insensitive): ${values.map(v => v.toUpperCase()).join(', ')}`,
  distinctAliases: (value: unknown) => {
    if (value === null) return 'entry must be non null'
    const aliases = value as string[]
    if (new Set(aliases).size < aliases.length) return 'Duplicate alias provided.'
    return aliases.includes('') ? 'Empty alias provided.' : null
  },
  noDuplicates: (value: unknown) => {
    if (value === null) return 'entry must be non null'
    const aliases = value as string[]
    return new Set(aliases).size === aliases.length ? null : 'Duplicate alias provided.'
  },
  name: (value: unknown) => {
    if (value === null) return 'Value must be non-null'
    const text = value as string
    if (text === '') return 'String may not be empty'
    if (!text.isWellFormed()) return 'String may not contain half of a surrogate pair'
    const control = [...text].filter(c => c.charCodeAt(0) < 32 || c.charCodeAt(0) === 127)
    if (control.length === 0) return null
    const codes = control.map(c => c.charCodeAt(0)).join(', ')
    return `String may not contain control sequences but had the following ASCII chars: ${codes}`
  },
  regex: (value: unknown) => {
    if (value === null) return 'Invalid regex: there is none'
    if (value === '') return null
    const wrong = JavaPattern.wrong(String(value))
    return wrong === null ? null : `Invalid regex: ${wrong}`
  },
}
