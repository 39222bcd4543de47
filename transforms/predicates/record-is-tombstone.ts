import { type ConnectRecord, defineConfig, type Predicate } from 'millrace/connect'

/** org.apache.kafka.connect.transforms.predicates.RecordIsTombstone: true if the value is null. */
export class RecordIsTombstone implements Predicate {
  readonly config = defineConfig({})

  test(record: ConnectRecord): boolean {
    return record.value === null || record.value === undefined
  }
}
