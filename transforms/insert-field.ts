import {
  ConfigError,
  type ConfigValues,
  type ConnectRecord,
  defineConfig,
  type Field,
  key,
  primitive,
  type Schema,
  SchemaCache,
  setField,
  timestamp,
} from 'millrace/connect'
import { propertyName } from 'millrace/connect/java'
import { replaceNullKey } from './common/keys.ts'
import { inOrderOfCopy } from './common/maps.ts'
import { requireMap, requireOffset, requireStruct } from './common/requirements.ts'
import { defaultedFields, fieldsOf, fieldValue, structLike } from './common/schemas.ts'
import { SidedTransformation } from './common/sided.ts'

const PURPOSE = 'field insertion'

const nameKey = (documentation: string) =>
  key.string({
    default: null,
    importance: 'MEDIUM',
    documentation: `${documentation} NAME! makes the field required. NAME? or NAME makes it optional.`,
  })

const insertFieldConfig = defineConfig({
  'topic.field': nameKey('The name of the field for the topic.'),
  'partition.field': nameKey('The name of the field for the partition.'),
  'offset.field': nameKey('The name of the field for the offset. Only the records of sinks have an offset.'),
  'timestamp.field': nameKey('The name of the field for the timestamp of the record.'),
  'static.field': nameKey('The name of the field for static.value.'),
  'static.value': key.string({
    default: null,
    importance: 'MEDIUM',
    documentation: 'The text that static.field contains. Required with static.field.',
  }),
  'replace.null.with.default': replaceNullKey,
})

interface Insertion {
  readonly name: string
  readonly schema: Schema
  /** Returns the value to insert, or undefined if the record does not have it. */
  readonly value: (record: ConnectRecord) => unknown
}

/** The changes to structs of one schema. */
interface Plan {
  readonly schema: Schema
  /** The fields in which null is replaced by the default. */
  readonly defaulted: readonly Field[]
}

/**
 * org.apache.kafka.connect.transforms.InsertField$Key and $Value: adds metadata of the record, or a
 * constant, as fields.
 */
abstract class InsertField extends SidedTransformation {
  readonly config = insertFieldConfig
  #insertions: Insertion[] = []
  #replaceNull = true
  readonly #plans = new SchemaCache<Plan>()

  configure(config: ConfigValues<typeof insertFieldConfig>): void {
    this.#replaceNull = config['replace.null.with.default']
    this.#insertions = insertionsOf(config)
    if (config['static.field'] !== null && config['static.value'] === null) {
      throw new ConfigError([{ key: 'static.value', message: 'No value specified for static.field' }])
    }
    if (this.#insertions.length === 0) {
      throw new ConfigError([{ key: 'static.field', message: 'No field insertion configured' }])
    }
  }

  apply<R extends ConnectRecord>(record: R): R | null {
    const value = this.valueOf(record)
    if (value === null || value === undefined) return record
    const schema = this.schemaOf(record)
    return schema === null ? this.#schemaless(record, value) : this.#withSchema(record, schema, value)
  }

  #schemaless<R extends ConnectRecord>(record: R, value: unknown): R {
    const map = requireMap(value, PURPOSE)
    const updated = { ...map }
    for (const insertion of this.#insertions) {
      const inserted = insertion.value(record)
      if (inserted !== undefined) setField(updated, insertion.name, inserted)
    }
    return this.changed(record, null, inOrderOfCopy(map, updated))
  }

  #withSchema<R extends ConnectRecord>(record: R, schema: Schema, value: unknown): R {
    const struct = requireStruct(schema, value, PURPOSE)
    const plan = this.#plans.get(schema, s => this.#planOf(s))
    const updated = { ...struct }
    for (const f of plan.defaulted) setField(updated, f.name, fieldValue(struct, f, true))
    for (const insertion of this.#insertions) {
      const inserted = insertion.value(record)
      if (inserted === undefined) continue
      const isTimestamp = insertion.schema.name !== undefined
      setField(updated, insertion.name, isTimestamp ? new Date(inserted as number) : inserted)
    }
    return this.changed(record, plan.schema, updated)
  }

  #planOf(schema: Schema): Plan {
    const fields = [...fieldsOf(schema).map(f => [f.name, f.schema] as const)]
    for (const i of this.#insertions) fields.push([i.name, i.schema])
    return { schema: structLike(schema, fields), defaulted: this.#replaceNull ? defaultedFields(schema) : [] }
  }
}

function insertionsOf(config: ConfigValues<typeof insertFieldConfig>): Insertion[] {
  const out: Insertion[] = []
  const add = (
    spec: string | null,
    schema: (options: { optional: boolean }) => Schema,
    value: (record: ConnectRecord) => unknown,
  ) => {
    if (spec === null) return
    const optional = !spec.endsWith('!')
    out.push({ name: propertyName(spec.replace(/[!?]$/, '')), schema: schema({ optional }), value })
  }
  add(
    config['topic.field'],
    o => primitive('string', o),
    r => r.topic,
  )
  add(
    config['partition.field'],
    o => primitive('int32', o),
    r => r.partition ?? undefined,
  )
  add(
    config['offset.field'],
    o => primitive('int64', o),
    r => requireOffset(r, PURPOSE),
  )
  add(
    config['timestamp.field'],
    o => timestamp(o),
    r => r.timestamp ?? undefined,
  )
  const text = config['static.value']
  if (text !== null)
    add(
      config['static.field'],
      o => primitive('string', o),
      () => text,
    )
  return out
}

export class InsertFieldKey extends InsertField {
  constructor() {
    super('key')
  }
}

export class InsertFieldValue extends InsertField {
  constructor() {
    super('value')
  }
}
