// Micro-benchmark of the partition log: appends and reads without a socket. Usage: node
// bench/micro/log.ts [--mb 2000]
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { DEFAULT_LOG_CONFIG, type LogConfig, LogManager, type PartitionLog } from '../../core/broker/log/index.ts'
import { RecordBatchBuilder } from '../../core/protocol/records/batch-builder.ts'

const { values } = parseArgs({ options: { mb: { type: 'string', default: '2000' }, dir: { type: 'string' } } })
const totalBytes = Number(values.mb) << 20
const base = mkdtempSync(join(values.dir ?? tmpdir(), 'millrace-bench-log-'))

function batch(size: number, recordSize: number): Buffer {
  const builder = new RecordBatchBuilder({})
  const value = Buffer.alloc(recordSize, 'v')
  while (builder.sizeInBytes + recordSize + 16 < size) builder.append(null, value, Date.now(), [])
  return builder.build()
}

interface Case {
  readonly name: string
  readonly batchBytes: number
  readonly partitions: number
  /** The number of concurrent appends, over all partitions. */
  readonly inFlight: number
  readonly fsync: LogConfig['fsync']
  readonly share: number
}

const cases: Case[] = [
  { name: '16 KiB, 1 partition', batchBytes: 16384, partitions: 1, inFlight: 5, fsync: 'none', share: 1 },
  {
    name: '16 KiB, 1 partition, one at a time',
    batchBytes: 16384,
    partitions: 1,
    inFlight: 1,
    fsync: 'none',
    share: 1,
  },
  { name: '16 KiB, 6 partitions', batchBytes: 16384, partitions: 6, inFlight: 30, fsync: 'none', share: 1 },
  { name: '1 KiB, 1 partition', batchBytes: 1100, partitions: 1, inFlight: 20, fsync: 'none', share: 0.1 },
  { name: '256 KiB, 1 partition', batchBytes: 262144, partitions: 1, inFlight: 5, fsync: 'none', share: 1 },
  { name: '16 KiB, 1 partition, fsync', batchBytes: 16384, partitions: 1, inFlight: 64, fsync: 'group', share: 0.2 },
  { name: '16 KiB, 6 partitions, fsync', batchBytes: 16384, partitions: 6, inFlight: 64, fsync: 'group', share: 0.2 },
]

async function run(c: Case): Promise<void> {
  const dir = mkdtempSync(join(base, 'case-'))
  const config = { ...DEFAULT_LOG_CONFIG, fsync: c.fsync }
  const manager = await LogManager.open({ dirs: [dir], defaults: config })
  const logs: PartitionLog[] = []
  for (let i = 0; i < c.partitions; i++)
    logs.push(await manager.getOrCreate('bench', i, 'BUuVtCShS_9i29BmQLtPAQ', config))
  const template = batch(c.batchBytes, c.batchBytes < 2000 ? 1000 : 1024)
  const count = Math.floor((totalBytes * c.share) / template.length)
  let next = 0
  const cpu = process.cpuUsage()
  const t0 = performance.now()
  const producer = async () => {
    for (let n = next++; n < count; n = next++) {
      // Each request has its own bytes, like a request from a socket.
      const copy = Buffer.allocUnsafeSlow(template.length)
      template.copy(copy)
      await logs[n % c.partitions]!.append(copy, { origin: 'client', leaderEpoch: 0 })
    }
  }
  await Promise.all(Array.from({ length: c.inFlight }, producer))
  report(`append ${c.name}`, count, count * template.length, t0, cpu)
  await manager.close()
  const again = await LogManager.open({ dirs: [dir], defaults: config })
  await readThrough(again.all(), c.name)
  await again.close()
  rmSync(dir, { recursive: true })
}

async function readThrough(logs: readonly PartitionLog[], name: string): Promise<void> {
  const cpu = process.cpuUsage()
  const t0 = performance.now()
  let bytes = 0
  let reads = 0
  for (const log of logs) {
    for (let offset = 0; offset < log.logEndOffset; ) {
      const { chunks, size } = await log.read(offset, 1 << 20, { upTo: 'highWatermark', minOneBatch: true })
      const last = chunks.at(-1)!
      let at = 0
      for (let n = 0; n < last.length; n += last.readInt32BE(n + 8) + 12) at = n
      offset = Number(last.readBigInt64BE(at)) + last.readInt32BE(at + 23) + 1
      bytes += size
      reads++
    }
  }
  report(`read from disk, 1 MiB, ${name}`, reads, bytes, t0, cpu)
}

function report(name: string, count: number, bytes: number, t0: number, cpu0: NodeJS.CpuUsage): void {
  const seconds = (performance.now() - t0) / 1000
  const cpu = process.cpuUsage(cpu0)
  const cpuSeconds = (cpu.user + cpu.system) / 1e6
  const mb = bytes / 1e6
  const rss = Math.round(process.memoryUsage().rss / 1e6)
  console.log(
    `${name.padEnd(52)} ${(mb / seconds).toFixed(0).padStart(6)} MB/s ${(count / seconds).toFixed(0).padStart(8)} calls/s ` +
      `${((cpuSeconds / count) * 1e6).toFixed(1).padStart(7)} us CPU a call ${(cpuSeconds / (mb / 1000)).toFixed(2)} CPU s/GB rss ${rss} MB`,
  )
}

try {
  for (const c of cases) await run(c)
} finally {
  rmSync(base, { recursive: true, force: true })
}
