import { RecordBatchBuilder } from '../../protocol/records/batch-builder.ts'
import { readBatches } from '../../protocol/records/batch-reader.ts'

/** A batch of records with the given values, no keys. */
export function batchOf(...values: string[]): Buffer {
  const builder = new RecordBatchBuilder({})
  for (const v of values) builder.append(null, Buffer.from(v), Date.now())
  return builder.build()
}

/** The values of all records in some fetched bytes. */
export function valuesIn(records: Buffer | null): string[] {
  if (!records) return []
  return [...readBatches(records)].flatMap(b => b.records().map(r => String(r.value)))
}
