import {
  ConfigError,
  type ConfigValues,
  type ConnectRecord,
  defineConfig,
  key,
  type Schema,
  SchemaCache,
  type Struct,
  setField,
} from 'millrace/connect'
import { distinctNamesIfAny, replaceNullKey } from './common/keys.ts'
import { inOrderOfCapacity } from './common/maps.ts'
import { requireMap, requireStruct } from './common/requirements.ts'
import { fieldsOf, fieldValue, structLike } from './common/schemas.ts'
import { SidedTransformation } from './common/sided.ts'

const PURPOSE = 'field replacement'

const replaceFieldConfig = defineConfig({
  exclude: key.list({
    default: [],
    validator: distinctNamesIfAny,
    importance: 'MEDIUM',
    aliases: ['blacklist'],
    documentation: 'The fields to remove. It takes precedence over include.',
  }),
  include: key.list({
    default: [],
    validator: distinctNamesIfAny,
    importance: 'MEDIUM',
    aliases: ['whitelist'],
    documentation: 'The fields to keep. Empty means all fields.',
  }),
  renames: key.list({
    default: [],
    validator: {
      describe: 'list of colon-delimited pairs, e.g. foo:bar,abc:xyz',
      check: value => {
        const wrong = ((value as string[] | null) ?? []).find(pair => !/^[^:]*:[^:]+$/.test(pair))
        return wrong === undefined ? null : `Invalid rename mapping: ${wrong}`
      },
    },
    importance: 'MEDIUM',
    documentation: 'The fields to rename, as OLD:NEW pairs separated by commas.',
  }),
  'replace.null.with.default': replaceNullKey,
})

/**
 * org.apache.kafka.connect.transforms.ReplaceField$Key and $Value: keeps, drops and renames fields.
 */
abstract class ReplaceField extends SidedTransformation {
  readonly config = replaceFieldConfig
  #exclude: ReadonlySet<string> = new Set()
  #include: ReadonlySet<string> = new Set()
  #renames: ReadonlyMap<string, string> = new Map()
  #replaceNull = true
  readonly #schemas = new SchemaCache<Schema>()

  configure(config: ConfigValues<typeof replaceFieldConfig>): void {
    this.#exclude = new Set(config.exclude)
    this.#include = new Set(config.include)
    this.#renames = new Map(config.renames.map(pair => pair.split(':') as [string, string]))
    this.#replaceNull = config['replace.null.with.default']
    if (new Set(this.#renames.values()).size < this.#renames.size) {
      throw new ConfigError([{ key: 'renames', message: 'Invalid renames: two fields get the same name' }])
    }
  }

  apply<R extends ConnectRecord>(record: R): R | null {
    const value = this.valueOf(record)
    if (value === null || value === undefined) return record
    const schema = this.schemaOf(record)
    const updated: Struct = {}
    if (schema === null) {
      const entries = Object.entries(requireMap(value, PURPOSE))
      for (const [name, item] of entries) if (this.#keeps(name)) setField(updated, this.#renamed(name), item)
      return this.changed(record, null, inOrderOfCapacity(updated, entries.length))
    }
    const struct = requireStruct(schema, value, PURPOSE)
    const updatedSchema = this.#schemas.get(schema, s => {
      const kept = fieldsOf(s).filter(f => this.#keeps(f.name))
      return structLike(
        s,
        kept.map(f => [this.#renamed(f.name), f.schema] as const),
      )
    })
    for (const f of fieldsOf(schema)) {
      if (this.#keeps(f.name)) setField(updated, this.#renamed(f.name), fieldValue(struct, f, this.#replaceNull))
    }
    return this.changed(record, updatedSchema, updated)
  }

  #keeps(name: string): boolean {
    return !this.#exclude.has(name) && (this.#include.size === 0 || this.#include.has(name))
  }

  #renamed(name: string): string {
    return this.#renames.get(name) ?? name
  }
}

export class ReplaceFieldKey extends ReplaceField {
  constructor() {
    super('key')
  }
}

export class ReplaceFieldValue extends ReplaceField {
  constructor() {
    super('value')
  }
}
