import { RecordBatchBuilder } from '../../protocol/records/batch-builder.ts'
import { readBatches } from '../../protocol/records/batch-reader.ts'

/** Returns a batch with one record for each value. The records have no keys. */
export function batchOf(...values: string[]): Buffer {
  const builder = new RecordBatchBuilder({})
  for (const v of values) builder.append(null, Buffer.from(v), Date.now())
  return builder.build()
}

/** Returns the values of all records in the record batches of a fetch response. */
export function valuesIn(records: Buffer | null): string[] {
  if (!records) return []
  return [...readBatches(records)].flatMap(b => b.records().map(r => String(r.value)))
}
