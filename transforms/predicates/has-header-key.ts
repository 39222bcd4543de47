import { type ConnectRecord, defineConfig, nonEmpty, type Predicate, type Props, parseConfig } from 'millrace/connect'

const hasHeaderKeyConfig = defineConfig({
  name: { type: 'STRING', importance: 'MEDIUM', validator: nonEmpty, documentation: 'The name of the header.' },
})

/** org.apache.kafka.connect.transforms.predicates.HasHeaderKey: true where the record has such a header. */
export class HasHeaderKey implements Predicate {
  readonly version = '0.1.0'
  readonly config = hasHeaderKeyConfig
  #name = ''

  configure(props: Props): void {
    this.#name = parseConfig(hasHeaderKeyConfig, props).name
  }

  test(record: ConnectRecord): boolean {
    return record.headers.some(h => h.key === this.#name)
  }
}
