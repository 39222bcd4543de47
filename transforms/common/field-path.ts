import {
  ConfigError,
  DataError,
  type Field,
  field as fieldOf,
  getField,
  type Schema,
  type Struct,
} from 'millrace/connect'
import { isMap, typeName } from './requirements.ts'
import { fieldValue } from './schemas.ts'

/**
 * The path of a field (Connect's SingleFieldPath). In syntax V1 the whole text is the name of one
 * field. In V2 the text contains names separated by dots. A name in backticks can contain dots, and
 * `\`` for a backtick.
 */
export class FieldPath {
  readonly text: string
  readonly steps: readonly string[]

  constructor(text: string, syntax: 'V1' | 'V2') {
    this.text = text
    this.steps = syntax === 'V2' ? splitPath(text) : [text]
  }

  /** Returns the field in a struct schema, or undefined if it does not exist. */
  fieldOf(schema: Schema): Field | undefined {
    let current: Schema = schema
    let found: Field | undefined
    for (const step of this.steps) {
      if (current.type !== 'struct') return undefined
      found = fieldOf(current, step)
      if (!found) return undefined
      current = found.schema
    }
    return found
  }

  /** Returns the value in a struct of this schema, or null if a parent is null. */
  valueIn(schema: Schema, struct: Struct, replaceNull: boolean): unknown {
    let value: unknown = struct
    let current = schema
    for (const step of this.steps) {
      const found = fieldOf(current, step)
      if (!found || value === null || value === undefined) return null
      value = fieldValue(value as Struct, found, replaceNull)
      current = found.schema
    }
    return value
  }

  /**
   * Returns the value in data without a schema, or null if a parent is missing. Throws a DataError
   * if a parent is not a map.
   */
  valueInMap(map: Struct): unknown {
    let value: unknown = map
    for (const step of this.steps) {
      if (value === null || value === undefined) return null
      if (!isMap(value)) {
        throw new DataError(
          `Only Map objects supported in absence of schema for [nested field access], found: ${typeName(value)} in the path ${this.text}`,
        )
      }
      value = value instanceof Map ? value.get(step) : getField(value, step)
    }
    return value ?? null
  }
}

function splitPath(text: string): string[] {
  const steps: string[] = []
  let at = 0
  const wrong = (why: string) => new ConfigError([{ key: 'field', message: `Incomplete field path ${text}: ${why}` }])
  while (at <= text.length) {
    if (text[at] !== '`') {
      const dot = text.indexOf('.', at)
      const end = dot < 0 ? text.length : dot
      steps.push(text.slice(at, end))
      at = end + 1
      continue
    }
    let name = ''
    for (at++; at < text.length; at++) {
      if (text[at] === '\\' && text[at + 1] === '`') name += text[++at]
      else if (text[at] === '`' && (at + 1 === text.length || text[at + 1] === '.')) break
      else name += text[at]
    }
    if (at >= text.length) throw wrong('a backtick is not closed')
    steps.push(name)
    at += 2
  }
  return steps
}
