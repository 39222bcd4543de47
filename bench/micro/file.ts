// Micro-benchmark of the file connectors without a runtime: lines per second through poll and put.
// Usage: node --conditions=millrace-source bench/micro/file.ts [--lines 3000000] [--bytes 100]

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type { SinkRecord, SourceRecord } from 'millrace/connect'
import { completeRecord, parseSettings } from 'millrace/testing'
import { sinkConfig, sourceConfig } from '../../connectors/file/config.ts'
import { FileStreamSinkTask } from '../../connectors/file/sink-task.ts'
import { FileStreamSourceTask } from '../../connectors/file/source-task.ts'
import { createLogger } from '../../core/common/log.ts'

const { values } = parseArgs({
  options: { lines: { type: 'string', default: '3000000' }, bytes: { type: 'string', default: '100' } },
})
const count = Number(values.lines)
const dir = mkdtempSync(join(tmpdir(), 'millrace-bench-file-'))
const signal = new AbortController().signal
const shared = { configs: {}, version: 'bench', logger: createLogger('bench'), signal, connector: 'bench', taskId: 0 }

function report(what: string, t0: number, cpu: NodeJS.CpuUsage): void {
  const s = (performance.now() - t0) / 1000
  const used = process.cpuUsage(cpu)
  const rate = Math.round(count / s).toLocaleString('en')
  const mb = Math.round((count * (Number(values.bytes) + 1)) / s / 1e6)
  const rss = Math.round(process.memoryUsage.rss() / 1e6)
  console.log(
    `${what}: ${rate} lines/s, ${mb} MB/s, CPU ${((used.user + used.system) / 1e6).toFixed(1)} s, RSS ${rss} MB`,
  )
}

async function source(name: string, line: string, end: string): Promise<readonly SourceRecord[]> {
  const file = join(dir, name)
  writeFileSync(file, '')
  for (let i = 0; i < count; i += 10_000) writeFileSync(file, (line + end).repeat(10_000), { flag: 'a' })
  const task = new FileStreamSourceTask()
  task.context = { ...shared, offsets: { offset: async () => null, offsets: async p => p.map(() => null) } }
  await task.start(parseSettings(sourceConfig, { file, topic: 't' }))
  const cpu = process.cpuUsage()
  const t0 = performance.now()
  let batch: readonly SourceRecord[] = []
  // Reads all lines except the last. If the last line ends with a CR, the source waits for the byte
  // after it.
  for (let n = 0; n < count - 1; n += batch.length) batch = (await task.poll()) ?? []
  report(`source, ${name}`, t0, cpu)
  await task.stop()
  rmSync(file)
  return batch
}

async function sink(props: Record<string, string>, batch: readonly SourceRecord[]): Promise<void> {
  const file = join(dir, 'out')
  const records = batch.slice(0, 500).map(
    (r, offset): SinkRecord => ({
      ...completeRecord(r),
      partition: 0,
      offset,
      timestampType: 'CreateTime',
      originalTopic: r.topic,
      originalPartition: 0,
      originalOffset: offset,
    }),
  )
  const task = new FileStreamSinkTask()
  task.context = {
    ...shared,
    assignment: () => [],
    seek: () => {},
    timeout: () => {},
    pause: () => {},
    resume: () => {},
    requestCommit: () => {},
    errantRecordReporter: null,
  }
  task.start(parseSettings(sinkConfig, { file, ...props }))
  const cpu = process.cpuUsage()
  const t0 = performance.now()
  for (let n = 0; n < count; n += records.length) await task.put(records)
  await task.preCommit([])
  report(`sink, ${props['format'] ?? 'text'}, batches of ${records.length}`, t0, cpu)
  await task.stop()
  rmSync(file)
}

const bytes = Number(values.bytes)
const batch = await source('ASCII, LF', 'x'.repeat(bytes), '\n')
await source('UTF-8, LF', 'ü'.repeat(bytes / 2), '\n')
await source('ASCII, CR LF', 'x'.repeat(bytes - 1), '\r\n')
await source('ASCII, CR', 'x'.repeat(bytes), '\r')
await sink({}, batch)
await sink({ format: 'json' }, batch)
rmSync(dir, { recursive: true })
