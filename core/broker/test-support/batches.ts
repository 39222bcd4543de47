import { RecordBatchBuilder } from '../../protocol/records/batch-builder.ts'
import { readBatches } from '../../protocol/records/batch-reader.ts'

/** Builds a batch of records with these values and no keys. */
export function batchOf(...values: string[]): Buffer {
  const builder = new RecordBatchBuilder({})
  for (const v of values) builder.append(null, Buffer.from(v), Date.now())
  return builder.build()
}

/** The values of all records in the fetched bytes. */
export function valuesIn(records: Buffer | null): string[] {
  if (!records) return []
  return [...readBatches(records)].flatMap(b => b.records().map(r => String(r.value)))
}
