import {
  type ConfigValues,
  type ConnectRecord,
  defineConfig,
  key,
  nonNull,
  type SchemaAndValue,
  type Transformation,
} from 'millrace/connect'
import { parseValue } from 'millrace/connect/java'

const insertHeaderConfig = defineConfig({
  header: key.string({
    validator: nonNull,
    importance: 'HIGH',
    documentation: 'The name of the header to add.',
  }),
  'value.literal': key.string({
    validator: nonNull,
    importance: 'HIGH',
    documentation:
      'The value of the header, which is the same for all records. Its type is guessed from the text: 42 is a number, true a boolean.',
  }),
})

/** org.apache.kafka.connect.transforms.InsertHeader: adds a header. */
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
