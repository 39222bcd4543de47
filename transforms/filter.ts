import { type ConnectRecord, defineConfig, type Transformation } from 'millrace/connect'

/** org.apache.kafka.connect.transforms.Filter: drops every record; of use under a predicate. */
export class Filter implements Transformation {
  readonly version = '0.1.0'
  readonly config = defineConfig({})

  configure(): void {}

  apply<R extends ConnectRecord>(_record: R): R | null {
    return null
  }
}
