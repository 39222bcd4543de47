// Micro-benchmark of the validation of produced batches: CPU time per batch and per GB, compared
// with the time to receive and append the batch. Usage: node bench/micro/validation.ts
import { parseArgs } from 'node:util'
import { rulesFor } from '../../core/broker/log/append/append-check.ts'
import { DEFAULT_LOG_CONFIG } from '../../core/broker/log/index.ts'
import { headerProblem } from '../../core/broker/log/validation/check-header.ts'
import { CheckPool } from '../../core/broker/log/validation/check-pool.ts'
import { checkInline, checkRecords } from '../../core/broker/log/validation/check-records.ts'
import { createLogger } from '../../core/common/log.ts'
import type { CompressionName } from '../../core/protocol/compression/index.ts'
import { RecordBatchBuilder } from '../../core/protocol/records/batch-builder.ts'

const { values } = parseArgs({ options: { ms: { type: 'string', default: '600' } } })
const MS = Number(values.ms)

/** Returns text like JSON, with a compression ratio of about four. */
function jsonOf(size: number, seed: number): Buffer {
  let text = ''
  let x = seed + 1
  while (text.length < size) {
    x = (x * 1103515245 + 12345) >>> 0
    text += `{"id":${x},"name":"customer ${x % 1000}","active":true},`
  }
  return Buffer.from(text.slice(0, size))
}

function batchOf(bytes: number, recordSize: number, compression: CompressionName): { batch: Buffer; records: number } {
  const builder = new RecordBatchBuilder({ compression })
  let records = 0
  while (builder.sizeInBytes < bytes)
    builder.append(Buffer.from(`k${records}`), jsonOf(recordSize, records++), Date.now())
  return { batch: builder.build(), records }
}

function measure(name: string, bytes: number, records: number, run: () => void): void {
  for (let i = 0; i < 200; i++) run()
  const cpu = process.cpuUsage()
  const t0 = performance.now()
  let n = 0
  while (performance.now() - t0 < MS) for (let i = 0; i < 50; i++, n++) run()
  report(name, n, bytes, records, process.cpuUsage(cpu))
}

function report(name: string, n: number, bytes: number, records: number, cpu: NodeJS.CpuUsage): void {
  const us = (cpu.user + cpu.system) / n
  const perRecord = (us * 1000) / records
  console.log(
    `${name.padEnd(58)} ${us.toFixed(2).padStart(9)} us a batch ${perRecord.toFixed(0).padStart(6)} ns a record ` +
      `${(us / 1e6 / (bytes / 1e9)).toFixed(3).padStart(7)} CPU s/GB`,
  )
}

const rules = rulesFor('bench-0', DEFAULT_LOG_CONFIG, Date.now())
for (const [size, recordSize] of [
  [16384, 100],
  [16384, 1024],
  [262144, 1024],
] as const) {
  for (const codec of ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const) {
    const { batch, records } = batchOf(size, recordSize, codec)
    const name = `${size >> 10} KiB of ${recordSize} B, ${codec} (${batch.length} bytes)`
    if (codec === 'none') measure(`${name}: header`, size, records, () => void headerProblem(batch, 'bench-0', 1 << 20))
    measure(`${name}: records`, size, records, () => void (codec === 'none' ? checkInline : checkRecords)(batch, rules))
  }
}

const pool = new CheckPool({ logger: createLogger('bench') })
for (const codec of ['gzip', 'lz4'] as const) {
  for (const together of [1, 20]) {
    const { batch, records } = batchOf(16384, 1024, codec)
    await pool.check(batch, rules)
    const cpu = process.threadCpuUsage()
    const n = 4000
    for (let i = 0; i < n; i += together)
      await Promise.all(Array.from({ length: together }, () => pool.check(batch, rules)))
    report(
      `16 KiB of 1024 B, ${codec}: event loop's part, ${together} at a time`,
      n,
      16384,
      records,
      process.threadCpuUsage(cpu),
    )
  }
}
await pool.close()
