import { type ConfigValues, type ConnectRecord, defineConfig, key, type Transformation } from 'millrace/connect'
import { distinctNames } from './common/keys.ts'

const dropHeadersConfig = defineConfig({
  headers: key.list({
    validator: distinctNames,
    importance: 'HIGH',
    documentation: 'The names of the headers to remove.',
  }),
})

/**
 * org.apache.kafka.connect.transforms.DropHeaders: removes all headers with the configured names.
 */
export class DropHeaders implements Transformation {
  readonly config = dropHeadersConfig
  #names: ReadonlySet<string> = new Set()

  configure(settings: ConfigValues<typeof dropHeadersConfig>): void {
    this.#names = new Set(settings.headers)
  }

  apply<R extends ConnectRecord>(record: R): R | null {
    const headers = record.headers.filter(h => !this.#names.has(h.key))
    return headers.length === record.headers.length ? record : { ...record, headers }
  }
}
