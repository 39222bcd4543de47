import { type BatchOptions, RecordBatchBuilder } from '../records/batch-builder.ts'

export const CODECS = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const

export interface TestRecord {
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly timestamp: number
}

/** Returns an encoded batch of the records. */
export function build(records: readonly TestRecord[], options: BatchOptions = {}): Buffer {
  const builder = new RecordBatchBuilder(options)
  for (const { key, value, timestamp } of records) builder.append(key, value, timestamp)
  return builder.build()
}

/** Returns a batch of the three records `k1` to `k3`. */
export function simple(options: BatchOptions = {}): Buffer {
  const records = [1, 2, 3].map(n => ({
    key: Buffer.from(`k${n}`),
    value: Buffer.from(`value ${n}`),
    timestamp: n * 1000,
  }))
  return build(records, options)
}
