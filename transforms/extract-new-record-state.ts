import {
  type ConfigValues,
  type ConnectRecord,
  DataError,
  defineConfig,
  type Header,
  key,
  oneOf,
  parseConfig,
  primitive,
  type Schema,
  SchemaCache,
  type Struct,
  setField,
  type Transformation,
} from 'millrace/connect'
import { FieldReference } from './common/field-reference.ts'
import { requireStruct } from './common/requirements.ts'
import { fieldsOf, fieldValue, structLike } from './common/schemas.ts'

const PURPOSE = 'extraction of the new record state'
const MODES = ['drop', 'tombstone', 'rewrite', 'rewrite-with-tombstone', 'delete-to-tombstone'] as const

const extractNewRecordStateConfig = defineConfig({
  'delete.tombstone.handling.mode': key.string({
    default: 'tombstone',
    validator: oneOf(MODES, { ignoreCase: true, message: 'Value must be one of' }),
    importance: 'MEDIUM',
    documentation:
      'What happens to a delete event and to the tombstone that follows it. drop: both are dropped. tombstone: the delete event becomes a null value with the schema of the row, and the tombstone is dropped. rewrite: the delete event becomes the old row with the field __deleted=true, and the tombstone is dropped. rewrite-with-tombstone: like rewrite, but the tombstone is kept. delete-to-tombstone: the delete event becomes a null value without a schema, and the tombstone is dropped.',
  }),
  'route.by.field': key.string({
    default: '',
    importance: 'LOW',
    documentation: 'The column whose value becomes the topic of the record. Empty keeps the topic.',
  }),
  'add.fields.prefix': key.string({
    default: '__',
    importance: 'LOW',
    documentation: 'The prefix of the names of fields that add.fields adds.',
  }),
  'add.fields': key.list({
    default: [],
    importance: 'LOW',
    documentation:
      'The fields of the change event to add to the row, such as op, table or source.ts_ms. They become __op, __table and __source_ts_ms. Use FIELD:NAME for another name.',
  }),
  'add.headers.prefix': key.string({
    default: '__',
    importance: 'LOW',
    documentation: 'The prefix of the names of headers that add.headers adds.',
  }),
  'add.headers': key.list({
    default: [],
    importance: 'LOW',
    documentation: 'The fields of the change event to add as headers, in the same form as add.fields.',
  }),
  'replace.null.with.default': key.boolean({
    default: true,
    importance: 'LOW',
    documentation: 'Whether a null in a field with a default value is replaced by the default value.',
  }),
  'drop.fields.header.name': key.string({
    default: '',
    importance: 'LOW',
    documentation: 'The header that lists the fields to remove from the record. Empty means none.',
  }),
  'drop.fields.from.key': key.boolean({
    default: false,
    importance: 'LOW',
    documentation: 'Whether the fields that drop.fields.header.name lists are also removed from the key.',
  }),
  'drop.fields.keep.schema.compatible': key.boolean({
    default: true,
    importance: 'LOW',
    documentation: 'Whether only optional fields are removed, so that consumers with the old schema keep working.',
  }),
})

const OPTIONAL_STRING = primitive('string', { optional: true })
const STRING = primitive('string')
const DELETED = '__deleted'

/**
 * io.debezium.transforms.ExtractNewRecordState: replaces a change event by its row.
 * `delete.tombstone.handling.mode` determines what happens to tombstones. Other records are not
 * changed.
 */
export class ExtractNewRecordState implements Transformation {
  readonly config = extractNewRecordStateConfig
  #config: ConfigValues<typeof extractNewRecordStateConfig> = parseConfig(extractNewRecordStateConfig, {})
  #mode: (typeof MODES)[number] = 'tombstone'
  #fields: FieldReference[] = []
  #headers: FieldReference[] = []
  readonly #markedSchemas = new SchemaCache<Schema>()
  // The schemas with added fields, by the schema of the row, and then by the schema of the event.
  readonly #extended = new SchemaCache<SchemaCache<Schema>>()

  configure(config: ConfigValues<typeof extractNewRecordStateConfig>): void {
    this.#config = config
    this.#mode = config['delete.tombstone.handling.mode']
    this.#fields = config['add.fields'].map(f => new FieldReference(config['add.fields.prefix'], f))
    this.#headers = config['add.headers'].map(f => new FieldReference(config['add.headers.prefix'], f))
  }

  apply<R extends ConnectRecord>(record: R): R | null {
    const { value, valueSchema } = record
    if (value === null || value === undefined) {
      return this.#mode === 'rewrite-with-tombstone' ? this.#withHeaders(record, null, null) : null
    }
    if (!valueSchema?.name?.endsWith('.Envelope')) return record
    const event = requireStruct(valueSchema, value, PURPOSE)
    const withHeaders = this.#withHeaders(record, valueSchema, event)
    const after = this.#row(valueSchema, event, 'after')
    if (after) return this.#changed(withHeaders, valueSchema, event, after)
    const before = this.#row(valueSchema, event, 'before')
    // An event that has no row is a truncation.
    return before ? this.#deleted(withHeaders, valueSchema, event, before) : null
  }

  #row(schema: Schema, event: Struct, name: 'before' | 'after'): { schema: Schema; value: Struct } | null {
    const found = fieldsOf(schema).find(f => f.name === name)
    if (!found) return null
    const value = fieldValue(event, found, this.#config['replace.null.with.default'])
    return value === null ? null : { schema: found.schema, value: value as Struct }
  }

  #changed<R extends ConnectRecord>(
    record: R,
    schema: Schema,
    event: Struct,
    row: { schema: Schema; value: Struct },
  ): R {
    let { schema: rowSchema, value } = row
    if (this.#mode.startsWith('rewrite')) ({ schema: rowSchema, value } = this.#marked(row, 'false'))
    const routed = this.#route(record, row)
    const added = this.#withFields(schema, event, rowSchema, value)
    return this.#dropFields({ ...routed, valueSchema: added.schema, value: added.value })
  }

  #deleted<R extends ConnectRecord>(
    record: R,
    schema: Schema,
    event: Struct,
    row: { schema: Schema; value: Struct },
  ): R | null {
    if (this.#mode === 'drop') return null
    const routed = this.#route(record, row)
    // As in Debezium 3.7, the value is null, but it keeps the schema of the row. So JsonConverter
    // with schemas.enable=true writes an envelope instead of null.
    if (this.#mode === 'tombstone') return { ...routed, valueSchema: row.schema, value: null }
    if (this.#mode === 'delete-to-tombstone') return { ...routed, valueSchema: null, value: null }
    const marked = this.#marked(row, 'true')
    const dropped = this.#dropFields({ ...routed, valueSchema: marked.schema, value: marked.value })
    if (dropped.valueSchema === null) return dropped
    const added = this.#withFields(schema, event, dropped.valueSchema, dropped.value)
    return { ...dropped, valueSchema: added.schema, value: added.value }
  }

  #marked(row: { schema: Schema; value: Struct }, deleted: 'true' | 'false'): { schema: Schema; value: Struct } {
    const schema = this.#markedSchemas.get(row.schema, s =>
      structLike(s, [...fieldsOf(s).map(f => [f.name, f.schema] as const), [DELETED, OPTIONAL_STRING] as const]),
    )
    const value = { ...row.value }
    if (this.#config['replace.null.with.default']) {
      for (const f of fieldsOf(row.schema)) setField(value, f.name, fieldValue(row.value, f, true))
    }
    value[DELETED] = deleted
    return { schema, value }
  }

  #withFields(schema: Schema, event: Struct, rowSchema: Schema, row: Struct): { schema: Schema; value: Struct } {
    // This runs even if there are no fields to add, because the schema of the row is optional
    // inside the event and must become required.
    const byEvent = this.#extended.get(rowSchema, () => new SchemaCache<Schema>())
    const extended = byEvent.get(schema, s => {
      const fields = fieldsOf(rowSchema).map(f => [f.name, f.schema] as const)
      const added = this.#fields.flatMap(ref => {
        const own = ref.schemaIn(s)
        return own ? [[ref.newName, own] as const] : []
      })
      return structLike(rowSchema, [...fields, ...added])
    })
    const value = { ...row }
    for (const ref of this.#fields) {
      if (ref.schemaIn(schema)) setField(value, ref.newName, ref.valueIn(schema, event))
    }
    return { schema: extended, value }
  }

  #withHeaders<R extends ConnectRecord>(record: R, schema: Schema | null, event: Struct | null): R {
    if (this.#headers.length === 0) return record
    const added: Header[] = []
    for (const ref of this.#headers) {
      if (schema === null || event === null) {
        if (ref.field === 'op') added.push({ key: ref.newName, schema: STRING, value: 'd' })
        continue
      }
      const own = ref.schemaIn(schema)
      if (own) added.push({ key: ref.newName, schema: own, value: ref.valueIn(schema, event) })
    }
    return added.length === 0 ? record : { ...record, headers: [...record.headers, ...added] }
  }

  #route<R extends ConnectRecord>(record: R, row: { schema: Schema; value: Struct }): R {
    const name = this.#config['route.by.field']
    if (name === '') return record
    const found = fieldsOf(row.schema).find(f => f.name === name)
    if (!found)
      throw new DataError(`${name} is not a valid field name: route.by.field must name a column of ${record.topic}`)
    const topic = fieldValue(row.value, found, true)
    if (topic !== null && typeof topic !== 'string') {
      throw new DataError(`Field '${name}' is not of type STRING: route.by.field must name a column with text`)
    }
    return topic === null || topic.trim() === '' ? record : { ...record, topic }
  }

  #dropFields<R extends ConnectRecord>(record: R): R {
    const headerName = this.#config['drop.fields.header.name']
    if (headerName === '') return record
    const names = record.headers.find(h => h.key === headerName)?.value
    if (!Array.isArray(names) || names.length === 0) return record
    const keepsRequired = this.#config['drop.fields.keep.schema.compatible']
    const without = (schema: Schema | null, value: unknown): { schema: Schema | null; value: unknown } => {
      if (schema?.type !== 'struct' || value === null) return { schema, value }
      const kept = fieldsOf(schema).filter(f => !names.includes(f.name) || (keepsRequired && !f.schema.optional))
      if (kept.length === fieldsOf(schema).length) return { schema, value }
      const fields = kept.map(f => [f.name, f.schema] as const)
      const values = kept.map(f => [f.name, fieldValue(value as Struct, f, true)] as const)
      return { schema: structLike(schema, fields), value: Object.fromEntries(values) }
    }
    const { schema: valueSchema, value } = without(record.valueSchema, record.value)
    if (!this.#config['drop.fields.from.key']) return { ...record, valueSchema, value }
    const { schema: keySchema, value: key } = without(record.keySchema, record.key)
    return { ...record, valueSchema, value, keySchema, key }
  }
}
