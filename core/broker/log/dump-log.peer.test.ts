import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { buildEndTransactionMarker } from '../../protocol/records/control-records.ts'
import { kafkaLibsOrSkip } from '../../protocol/test-support/jars.ts'
import { LogManager } from './log-manager.ts'
import { append, configOf, recordingLogger, removeDir, TOPIC_ID, tempDir } from './test-support/logs.ts'

const libs = kafkaLibsOrSkip()

let dir: string
beforeEach(() => {
  dir = tempDir()
})
afterEach(() => removeDir(dir))

/**
 * Runs Apache Kafka's kafka-dump-log. Returns what it writes to stdout, and its errors on stderr.
 */
function dumpLog(files: readonly string[], ...more: string[]): { out: string; complaints: string } {
  const tool = 'org.apache.kafka.tools.DumpLogSegments'
  const args = ['-Xmx256m', '-cp', join(libs!, '*'), tool, ...more, '--files', files.join(',')]
  const { stdout, stderr } = spawnSync('java', args, { encoding: 'utf8', maxBuffer: 64 << 20 })
  const complaints = stderr.split('\n').filter(line => line !== '' && !/log4j|SLF4J|StatusLogger|WARNING:/i.test(line))
  return { out: stdout, complaints: complaints.join('\n') }
}

/**
 * Writes a log with several segments, compressed batches, an idempotent producer, and a committed
 * and an aborted transaction.
 */
async function writeLog(): Promise<string> {
  const config = configOf({ segmentBytes: 4000, indexIntervalBytes: 300 })
  const manager = await LogManager.open({ dirs: [dir], defaults: config, logger: recordingLogger() })
  const log = await manager.getOrCreate('orders', 0, TOPIC_ID, config)
  const end = (committed: boolean) =>
    log.append(buildEndTransactionMarker({ committed, coordinatorEpoch: 2 }, { id: 9, epoch: 1 }, 1700000000000), {
      origin: 'coordinator',
      leaderEpoch: 0,
    })
  let transactional = 0
  for (let i = 0; i < 60; i++) {
    const compression = (['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const)[i % 5]!
    const records = Array.from({ length: 3 }, (_, n) => ({
      key: `k${n}`,
      value: `value ${i}.${n}`,
      timestamp: 1700000000000 + i * 1000 - (n % 2) * 5000,
    }))
    await append(log, records, { compression, producerId: 4, epoch: 0, sequence: i * 3 })
    if (i % 10 !== 5) continue
    await append(log, records, { producerId: 9, epoch: 1, sequence: transactional, transactional: true })
    transactional += 3
    await end(i % 20 === 5)
  }
  await append(log, ['open'], { producerId: 9, epoch: 1, sequence: transactional, transactional: true })
  await manager.close()
  return join(dir, 'orders-0')
}

test.skipIf(libs === null)('kafka-dump-log reports no errors in segments, indexes and snapshots', async () => {
  const path = await writeLog()
  const files = readdirSync(path).filter(n => /\.(log|index|timeindex|txnindex|snapshot)$/.test(n))
  for (const type of ['log', 'index', 'timeindex', 'txnindex', 'snapshot']) {
    expect(files.filter(n => n.endsWith(`.${type}`)).length).toBeGreaterThan(2)
  }
  const paths = files.map(n => join(path, n))
  const { out, complaints } = dumpLog(paths)
  expect(complaints).toBe('')
  expect(out).not.toContain('isvalid: false')
  expect(out).toMatch(/producerId: 9 .*currentTxnFirstOffset: OptionalLong\[\d+\]/)
  expect(out).toMatch(/version: 0 producerId: 9 firstOffset: \d+ lastOffset: \d+ lastStableOffset: \d+/)
  const indexes = paths.filter(n => n.endsWith('index') && !n.endsWith('txnindex'))
  const sane = dumpLog(indexes, '--index-sanity-check')
  expect(sane.complaints).toBe('')
  expect(sane.out.match(/passed sanity check|is empty/g)?.length).toBe(indexes.length)
})

test.skipIf(libs === null)(
  'kafka-dump-log decodes the records and transaction markers of a segment without errors',
  async () => {
    const path = await writeLog()
    const logs = readdirSync(path).filter(n => n.endsWith('.log'))
    const { out, complaints } = dumpLog([join(path, logs[0]!)], '--deep-iteration', '--print-data-log')
    expect(complaints).toBe('')
    expect(out).toContain('key: k2 payload: value 4.2')
    expect(out).toContain('endTxnMarker: COMMIT coordinatorEpoch: 2')
    expect(out).toContain('endTxnMarker: ABORT coordinatorEpoch: 2')
  },
)

test.skipIf(libs === null)('kafka-dump-log reports no errors in compacted segments', async () => {
  const config = configOf({
    cleanupPolicy: ['compact'],
    segmentBytes: 3000,
    indexIntervalBytes: 200,
    minCleanableDirtyRatio: 0,
  })
  const manager = await LogManager.open({ dirs: [dir], defaults: config, logger: recordingLogger() })
  const log = await manager.getOrCreate('compacted', 0, TOPIC_ID, config)
  for (let i = 0; i < 200; i++) {
    const records = [0, 1, 2].map(n => ({
      key: `k${(i * 7 + n) % 31}`,
      value: (i + n) % 9 === 0 ? null : `value ${i}.${n}`,
    }))
    const compression = (['none', 'gzip', 'lz4'] as const)[i % 3]!
    await append(log, records, { compression, producerId: 4, epoch: 0, sequence: i * 3 })
  }
  await log.compact(Date.now(), { maxMapBytes: 1 << 20 })
  await manager.close()
  const path = join(dir, 'compacted-0')
  const files = readdirSync(path).filter(n => /\.(log|index|timeindex|snapshot)$/.test(n))
  const { out, complaints } = dumpLog(files.map(n => join(path, n)))
  expect(complaints).toBe('')
  expect(out).not.toContain('isvalid: false')
  expect(out).toMatch(/deleteHorizonMs: OptionalLong\[\d+\]/)
  const deep = dumpLog(
    files.filter(n => n.endsWith('.log')).map(n => join(path, n)),
    '--deep-iteration',
    '--print-data-log',
  )
  expect(deep.out).toMatch(/key: k\d+ payload: value/)
})
