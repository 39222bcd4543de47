import {
  type ConfigValues,
  type ConnectRecord,
  defineConfig,
  nonNull,
  type SchemaAndValue,
  type Transformation,
} from 'millrace/connect'
import { parseValue } from 'millrace/connect/java'

const insertHeaderConfig = defineConfig({
  header: { type: 'STRING', importance: 'HIGH', validator: nonNull, documentation: 'The name of the new header.' },
  'value.literal': {
    type: 'STRING',
    importance: 'HIGH',
    validator: nonNull,
    documentation: 'Its value, the same for all records; the type is guessed from the text.',
  },
})

/** org.apache.kafka.connect.transforms.InsertHeader: one header more. */
export class InsertHeader implements Transformation {
  readonly config = insertHeaderConfig
  #key = ''
  #literal: SchemaAndValue = { schema: null, value: null }

  configure(config: ConfigValues<typeof insertHeaderConfig>): void {
    this.#key = config.header
    this.#literal = parseValue(config['value.literal'])
  }

  apply<R extends ConnectRecord>(record: R): R | null {
    return { ...record, headers: [...record.headers, { key: this.#key, ...this.#literal }] }
  }
}
