import { type ConnectRecord, defineConfig, type Transformation } from 'millrace/connect'

/** org.apache.kafka.connect.transforms.Filter: drops every record. Use it with a predicate. */
export class Filter implements Transformation {
  readonly config = defineConfig({})

  apply<R extends ConnectRecord>(_record: R): R | null {
    return null
  }
}
