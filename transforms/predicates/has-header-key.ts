import { type ConfigValues, type ConnectRecord, defineConfig, key, nonEmpty, type Predicate } from 'millrace/connect'

const hasHeaderKeyConfig = defineConfig({
  name: key.string({
    validator: nonEmpty,
    importance: 'MEDIUM',
    documentation: 'The name of the header. The predicate matches records that have this header.',
  }),
})

/**
 * org.apache.kafka.connect.transforms.predicates.HasHeaderKey: true if the record has a header with
 * the configured name.
 */
export class HasHeaderKey implements Predicate {
  readonly config = hasHeaderKeyConfig
  #name = ''

  configure(settings: ConfigValues<typeof hasHeaderKeyConfig>): void {
    this.#name = settings.name
  }

  test(record: ConnectRecord): boolean {
    return record.headers.some(h => h.key === this.#name)
  }
}
