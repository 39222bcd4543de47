import { type ConnectRecord, defineConfig, type Predicate } from 'millrace/connect'

/** org.apache.kafka.connect.transforms.predicates.RecordIsTombstone: true where the value is null. */
export class RecordIsTombstone implements Predicate {
  readonly version = '0.1.0'
  readonly config = defineConfig({})

  configure(): void {}

  test(record: ConnectRecord): boolean {
    return record.value === null || record.value === undefined
  }
}
