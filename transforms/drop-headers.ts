import { type ConnectRecord, defineConfig, type Props, parseConfig, type Transformation } from 'millrace/connect'
import { distinctNames } from './common/keys.ts'

const dropHeadersConfig = defineConfig({
  headers: {
    type: 'LIST',
    importance: 'HIGH',
    validator: distinctNames,
    documentation: 'Headers with these names go.',
  },
})

/** org.apache.kafka.connect.transforms.DropHeaders: removes all headers of these names. */
export class DropHeaders implements Transformation {
  readonly version = '0.1.0'
  readonly config = dropHeadersConfig
  #names: ReadonlySet<string> = new Set()

  configure(props: Props): void {
    this.#names = new Set(parseConfig(dropHeadersConfig, props).headers)
  }

  apply<R extends ConnectRecord>(record: R): R | null {
    const headers = record.headers.filter(h => !this.#names.has(h.key))
    return headers.length === record.headers.length ? record : { ...record, headers }
  }
}
