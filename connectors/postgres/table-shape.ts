import { type Logger, messageOf, type Schema, type Struct, struct, withOptions } from 'millrace/connect'
import {
  adjustFieldName,
  adjustSchemaName,
  type ColumnRule,
  envelopeSchema,
  qualified,
  type TableName,
  Unrepresentable,
} from '../cdc/index.ts'
import { schemaDefault } from './catalog/default-value.ts'
import { errors } from './errors.ts'
import type { PostgresOptions } from './options.ts'
import { compileMapper, type FieldReader, type RowMapper } from './row-mapper.ts'
import type { Codec, Decode } from './types/codec.ts'
import { type ColumnType, codecFor } from './types/codec-for.ts'
import { jdbcSize } from './types/jdbc-size.ts'

/** A column of a tuple, from a relation message or the catalog. */
export interface ShapeColumn {
  readonly name: string
  readonly type: ColumnType | null
  readonly typeName: string
  readonly optional: boolean
  /**
   * Whether the column's domain makes it NOT NULL. A domain can change without an event in the
   * stream.
   */
  readonly requiredByDomain: boolean
  readonly defaultExpression: string | null
  readonly comment: string | null
}

/** The description of a table in the database, from which its `TableShape` is created. */
export interface ShapeInput {
  readonly name: TableName
  /** The columns, in the order of the tuple. */
  readonly columns: readonly ShapeColumn[]
  /** The columns of the primary key, or of the index that is used instead. */
  readonly key: readonly string[]
}

/**
 * One version of a table, with its topic, its schemas and its decoders. It is used until the table
 * changes.
 */
export interface TableShape {
  readonly name: TableName
  /** The name as `schema.table`. */
  readonly id: string
  readonly topic: string
  readonly keySchema: Schema | null
  readonly valueSchema: Schema
  readonly envelope: Schema
  readonly columns: readonly ShapeColumn[]
  /** Columns that neither values nor keys contain, so that a snapshot does not read them. */
  readonly unread: ReadonlySet<string>
  readonly row: RowMapper
  readonly key: RowMapper | null
  /** Identifies the structure of the table. Shapes with the same signature are equal. */
  readonly signature: string
  /** The indexes of the columns that domains make NOT NULL. */
  readonly requiredByDomain: readonly number[]
  /** Whether a row has shown that a type changed, so that the shape must be read again. */
  stale: boolean
}

export const signatureOf = (input: ShapeInput): string => JSON.stringify([input.name, input.columns, input.key])

/** The settings and helpers with which shapes are created. */
export interface ShapeContext {
  readonly options: PostgresOptions
  readonly source: Schema
  readonly logger: Logger
}

/** A decoder, and what is emitted for a value that the decoder cannot represent. */
interface Unshown {
  readonly decode: Decode
  readonly optional: boolean
  readonly filler: unknown
}

function guarded(field: Unshown, table: TableName, column: ShapeColumn, context: ShapeContext): Decode {
  const { options, logger } = context
  const { decode, optional, filler } = field
  let warned = 0
  return (buf, start, end) => {
    try {
      return decode(buf, start, end)
    } catch (error) {
      const type = column.type?.name ?? 'unknown'
      const about = { table: qualified(table), column: column.name, type, cause: messageOf(error) }
      if (options.convertingFailure === 'fail') throw errors.create('MR_PG_VALUE', about, { cause: error })
      const instead = substitute(error, optional, filler)
      // further warnings would repeat the first warnings
      if (options.convertingFailure === 'warn' && warned++ < 10)
        logger.warn(errors.create('MR_PG_VALUE_REPLACED', { ...about, instead: shown(instead) }).message)
      return instead
    }
  }
}

/**
 * Returns what is emitted for a value that cannot be represented: null, or for a NOT NULL column
 * the nearest value or the filler.
 */
function substitute(error: unknown, optional: boolean, filler: unknown): unknown {
  if (error instanceof Unrepresentable && error.nearest !== undefined && (error.always || !optional))
    return error.nearest
  return optional ? null : filler
}

const shown = (value: unknown): string =>
  value === null ? 'null' : Array.isArray(value) ? 'null for these elements' : `${String(value)} instead`

/** Returns a decoder that marks the shape as stale if a value is not a known label of the enum. */
function enumDecode(decode: Decode, labels: readonly string[], shape: { stale: boolean }): Decode {
  const known = new Set<unknown>(labels)
  const look = (label: unknown) => {
    if (known.has(label) || label === null) return
    // each label marks the shape only once, because the catalog does not contain the old name of a
    // renamed label
    known.add(label)
    shape.stale = true
  }
  return (buf, start, end) => {
    const value = decode(buf, start, end)
    if (Array.isArray(value)) value.forEach(look)
    else look(value)
    return value
  }
}

interface Field {
  readonly column: ShapeColumn
  readonly index: number
  readonly codec: Codec
  readonly default: unknown
  readonly decode: Decode
}

function fieldSchema(field: Field, context: ShapeContext, rule: ColumnRule | null): Schema {
  const { schema } = field.codec
  return withOptions(schema, {
    ...(field.column.optional ? { optional: true } : {}),
    ...(field.default === undefined ? {} : { default: field.default }),
    ...(context.options.comments && field.column.comment ? { doc: field.column.comment } : {}),
    ...(rule === null || Object.keys(rule.parameters).length === 0
      ? {}
      : { parameters: { ...schema.parameters, ...rule.parameters } }),
  })
}

/** Returns what is emitted for NULL: null, or for a NOT NULL column the default or the filler. */
const nullOf = (field: Field): unknown =>
  field.column.optional ? null : field.default === undefined ? field.codec.filler : field.default

function reader(field: Field, name: string, rule: ColumnRule | null): FieldReader {
  const change = rule?.change ?? null
  const absent = nullOf(field)
  return {
    name,
    index: field.index,
    decode: change === null ? field.decode : (b, s, e) => changed(change, field.decode(b, s, e)),
    whenNull: rule?.maskNull ?? changed(change, absent),
    whenUnavailable: changed(change, field.codec.unavailable),
  }
}

const changed = (change: ((v: unknown) => unknown) | null, value: unknown): unknown =>
  change === null || value === null || value === undefined ? value : change(value)

/** Returns the shape of a table, without the columns whose types have no mapping. */
export function makeShape(input: ShapeInput, context: ShapeContext): TableShape {
  const { options } = context
  const { name, columns } = input
  const shape = { stale: false }
  const fields: Field[] = columns.flatMap((column, index) => {
    const codec = column.type === null ? null : codecFor(column.type, options.values)
    if (codec === null || column.type === null) return []
    const labels = column.type.labels ?? column.type.element?.labels ?? null
    const byDefault = schemaDefault(column.type, codec, column.defaultExpression)
    const unshown = { decode: codec.decode, optional: column.optional, filler: byDefault ?? codec.filler }
    const plain = guarded(unshown, name, column, context)
    const decode = labels ? enumDecode(plain, labels, shape) : plain
    return [{ column, index, codec, decode, default: byDefault }]
  })
  const fieldName = (field: Field) => adjustFieldName(field.column.name, options.fieldNames)
  const ruleOf = (field: Field) => {
    const { column } = field
    const size = jdbcSize(column.type!)
    const about = { name: column.name, typeName: column.typeName, comment: column.comment, isText: field.codec.isText }
    return options.rules.forColumn(name, { ...about, ...size })
  }

  const shown = fields.filter(f => options.selection.hasColumn(name, f.column.name))
  const keyNames =
    options.keys.keyOf(
      name,
      columns.map(c => c.name),
    ) ?? input.key
  const keys = keyNames.flatMap(k => fields.find(f => f.column.name === k) ?? [])

  const topic = options.topics.table(name)
  const schemaName = (suffix: string) => adjustSchemaName(`${topic}.${suffix}`, options.schemaNames)
  const rules = new Map(shown.map(f => [f, ruleOf(f)]))
  for (const [field, rule] of rules) {
    for (const key of rule?.unmasked ?? [])
      context.logger.warn(
        `${key} hides only text, as in Debezium: ${qualified(name)}.${field.column.name} of type ${field.column.typeName} is not hidden. Exclude it (column.exclude.list) to hide it`,
      )
  }
  const valueSchema = struct(new Map(shown.map(f => [fieldName(f), fieldSchema(f, context, rules.get(f) ?? null)])), {
    name: schemaName('Value'),
  })
  const keySchema =
    keys.length === 0
      ? null
      : struct(new Map(keys.map(f => [fieldName(f), fieldSchema(f, context, null)])), { name: schemaName('Key') })
  const needed = new Set([...shown, ...keys].map(f => f.column.name))
  return Object.assign(shape, {
    name,
    id: qualified(name),
    topic,
    keySchema,
    valueSchema,
    envelope: envelopeSchema(schemaName('Envelope'), valueSchema, context.source),
    columns,
    unread: new Set(columns.map(c => c.name).filter(c => !needed.has(c))),
    row: compileMapper(shown.map(f => reader(f, fieldName(f), rules.get(f) ?? null))),
    key: keys.length === 0 ? null : compileMapper(keys.map(f => reader(f, fieldName(f), null))),
    requiredByDomain: columns.flatMap((c, i) => (c.requiredByDomain ? [i] : [])),
    signature: signatureOf(input),
  })
}

/** Returns whether two keys or rows are equal, value by value. */
export function structsEqual(a: Struct | null, b: Struct | null): boolean {
  return valuesEqual(a, b)
}

function valuesEqual(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (Buffer.isBuffer(a)) return Buffer.isBuffer(b) && a.equals(b)
  if (a instanceof Date) return b instanceof Date && a.getTime() === b.getTime()
  if (a instanceof Map)
    return b instanceof Map && a.size === b.size && [...a].every(([k, v]) => b.has(k) && valuesEqual(v, b.get(k)))
  const left = Object.entries(a)
  const right = b as Record<string, unknown>
  return left.length === Object.keys(b).length && left.every(([k, v]) => k in right && valuesEqual(v, right[k]))
}
