import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { LogManager } from './log-manager.ts'
import {
  append,
  configOf,
  readValues,
  recordingLogger,
  removeDir,
  TO_END,
  TOPIC_ID,
  tempDir,
} from './test-support/logs.ts'
import type { LogManagerOptions } from './types.ts'

let dir: string
beforeEach(() => {
  dir = tempDir()
})
afterEach(() => removeDir(dir))

const OTHER_ID = 'AAAAAAAAQACAAAAAAAAAAQ'
const open = (o: Partial<LogManagerOptions> = {}) =>
  LogManager.open({ dirs: [dir], defaults: configOf(), logger: recordingLogger(), ...o })
const read = (name: string) => readFileSync(join(dir, name), 'utf8')

test("a clean shutdown writes Kafka's checkpoints and .kafka_cleanshutdown, which the next start removes", async () => {
  const manager = await open()
  const log = await manager.getOrCreate('a-b.c', 1, TOPIC_ID)
  await manager.getOrCreate('empty', 0, OTHER_ID)
  for (let i = 0; i < 3; i++) await append(log, ['x'])
  await log.deleteRecordsBefore(2)
  await manager.close()
  expect(JSON.parse(read('.kafka_cleanshutdown'))).toEqual({ version: 0, brokerEpoch: -1 })
  expect(read('recovery-point-offset-checkpoint')).toBe('0\n2\na-b.c 1 3\nempty 0 0\n')
  expect(read('replication-offset-checkpoint')).toBe('0\n2\na-b.c 1 3\nempty 0 0\n')
  expect(read('log-start-offset-checkpoint')).toBe('0\n1\na-b.c 1 2\n')
  expect(read('a-b.c-1/partition.metadata')).toBe(`version: 0\ntopic_id: ${TOPIC_ID}`)
  expect(read('a-b.c-1/leader-epoch-checkpoint')).toBe('0\n1\n0 2\n')
  const again = await open()
  expect(existsSync(join(dir, '.kafka_cleanshutdown'))).toBe(false)
  expect(again.get('a-b.c', 1)).toMatchObject({ topicId: TOPIC_ID, logStartOffset: 2, logEndOffset: 3 })
  await again.close()
})

test('delete renames the directory at once and removes it later, and the deleted log rejects requests', async () => {
  let now = 1000
  const manager = await open({ now: () => now })
  const log = await manager.getOrCreate('t', 0, TOPIC_ID)
  await append(log, ['x'])
  const seenWhenWoken: unknown[] = []
  log.onAdvance(() => seenWhenWoken.push(manager.get('t', 0)))
  await manager.delete('t', 0)
  expect(seenWhenWoken).toEqual([undefined])
  expect(manager.get('t', 0)).toBeUndefined()
  const renamed = readdirSync(dir).filter(n => n.endsWith('-delete'))
  expect(renamed).toEqual([expect.stringMatching(/^t-0\.[0-9a-f]{32}-delete$/)])
  await expect(append(log, ['y'])).rejects.toMatchObject({ retriable: true })
  await expect(Promise.resolve(log.read(0, 100, TO_END))).rejects.toThrow('UNKNOWN_TOPIC_OR_PARTITION')
  const recreated = await manager.getOrCreate('t', 0, OTHER_ID)
  expect(recreated.logEndOffset).toBe(0)
  now += 60_000
  await manager.tick(now)
  await vi.waitFor(() => expect(readdirSync(dir).filter(n => n.endsWith('-delete'))).toEqual([]))
  await manager.close()
})

test('the renamed directory of a deleted log is removed after a restart', async () => {
  mkdirSync(join(dir, 't-0.0123456789abcdef0123456789abcdef-delete'))
  const manager = await open()
  expect(manager.all()).toEqual([])
  await manager.tick(Date.now())
  await vi.waitFor(() => expect(readdirSync(dir).filter(n => n.endsWith('-delete'))).toEqual([]))
  await manager.close()
})

test("a log recreated under the same name does not get the old log's offsets, even after a crash", async () => {
  const manager = await open()
  const old = await manager.getOrCreate('t', 0, TOPIC_ID)
  for (let i = 0; i < 5; i++) await append(old, ['old'])
  await old.deleteRecordsBefore(4)
  await old.flush()
  await manager.tick(Date.now() + 10_000)
  await manager.delete('t', 0)
  const log = await manager.getOrCreate('t', 0, OTHER_ID)
  await append(log, ['new'])
  const afterCrash = await open()
  expect(await readValues(afterCrash.get('t', 0)!)).toEqual(['new'])
  await afterCrash.close()
})

test('getOrCreate renames the log of an older topic with the same name, and creates an empty log', async () => {
  const manager = await open()
  await append(await manager.getOrCreate('t', 0, TOPIC_ID), ['old'])
  const log = await manager.getOrCreate('t', 0, OTHER_ID)
  expect([log.topicId, log.logEndOffset]).toEqual([OTHER_ID, 0])
  expect(readdirSync(dir).filter(n => n.endsWith('-stray')).length).toBe(1)
  expect(await manager.getOrCreate('t', 0, OTHER_ID)).toBe(log)
  await manager.close()
})

test('concurrent calls of getOrCreate for a partition create one log', async () => {
  const manager = await open()
  const logs = await Promise.all(Array.from({ length: 5 }, () => manager.getOrCreate('t', 0, TOPIC_ID)))
  expect(new Set(logs).size).toBe(1)
  await manager.close()
})

test('partitions are distributed over the log directories, and are found in them after a restart', async () => {
  const dirs = [join(dir, 'one'), join(dir, 'two')]
  const manager = await open({ dirs })
  for (let p = 0; p < 6; p++) await append(await manager.getOrCreate('t', p, TOPIC_ID), [`${p}`])
  await manager.close()
  for (const d of dirs) expect(readdirSync(d).filter(n => n.startsWith('t-')).length).toBe(3)
  const again = await open({ dirs: dirs.reverse() })
  for (let p = 0; p < 6; p++) expect(await readValues(again.get('t', p)!)).toEqual([`${p}`])
  await again.close()
})

test('a log that cannot be opened keeps its checkpointed offsets, and each getOrCreate tries again to open it', async () => {
  const manager = await open()
  const log = await manager.getOrCreate('t', 0, TOPIC_ID)
  for (let i = 0; i < 4; i++) await append(log, [`${i}`])
  await log.deleteRecordsBefore(2)
  await append(await manager.getOrCreate('fine', 0, OTHER_ID), ['x'])
  await manager.close()
  const obstacle = join(dir, 't-0', '00000000000000000009.log')
  mkdirSync(obstacle)
  writeFileSync(join(obstacle, 'x'), 'x')
  for (let i = 0; i < 2; i++) {
    const logger = recordingLogger()
    const broken = await open({ logger })
    expect(broken.get('t', 0)).toBeUndefined()
    expect(await readValues(broken.get('fine', 0)!)).toEqual(['x'])
    await expect(broken.getOrCreate('t', 0, TOPIC_ID)).rejects.toMatchObject({ code: 'MR_LOG_OPEN_FAILED' })
    expect(logger.lines.join()).toContain('MR_LOG_OPEN_FAILED')
    await broken.close()
    expect(existsSync(join(dir, '.kafka_cleanshutdown'))).toBe(false)
  }
  const repaired = await open()
  rmSync(obstacle, { recursive: true })
  const again = await repaired.getOrCreate('t', 0, TOPIC_ID)
  expect([again.logStartOffset, await readValues(again)]).toEqual([2, ['2', '3']])
  await repaired.close()
})

test('logs can be opened and closed even if the checkpoints cannot be written, for example on a full disk', async () => {
  const before = await open()
  await append(await before.getOrCreate('t', 0, TOPIC_ID), ['a'])
  await before.close()
  mkdirSync(join(dir, 'recovery-point-offset-checkpoint.tmp'))
  const logger = recordingLogger()
  const manager = await open({ logger })
  const log = await manager.getOrCreate('t', 0, TOPIC_ID)
  await append(log, ['b'])
  expect(await readValues(log)).toEqual(['a', 'b'])
  await manager.close()
  expect(logger.lines.filter(l => l.startsWith('ERROR Cannot write the checkpoints'))).toHaveLength(2)
  expect(existsSync(join(dir, '.kafka_cleanshutdown'))).toBe(false)
})

test('opening fails with MR_LOG_DIR_UNUSABLE if a log directory is a file', async () => {
  writeFileSync(join(dir, 'file'), '')
  await expect(open({ dirs: [join(dir, 'file')] })).rejects.toMatchObject({ code: 'MR_LOG_DIR_UNUSABLE' })
})

test('300 partitions use few open files and little memory, and all reads are correct', async () => {
  const count = 300
  const manager = await open({ maxOpenFiles: 50, tailCacheBytes: 100_000 })
  const logs = await Promise.all(Array.from({ length: count }, (_, p) => manager.getOrCreate('t', p, TOPIC_ID)))
  for (let round = 0; round < 3; round++) await Promise.all(logs.map((log, p) => append(log, [`${p}.${round}`])))
  for (const [p, log] of logs.entries()) expect(await readValues(log)).toEqual([0, 1, 2].map(r => `${p}.${r}`))
  const fds = readdirSync('/proc/self/fd').length
  expect(fds).toBeLessThan(150)
  await manager.close()
  const before = process.memoryUsage().rss
  const again = await open({ maxOpenFiles: 50 })
  expect(again.all().length).toBe(count)
  const perPartition = (process.memoryUsage().rss - before) / count
  expect(perPartition).toBeLessThan(100_000)
  for (const [p] of logs.entries()) expect(again.get('t', p)!.logEndOffset).toBe(3)
  await again.close()
})

test('logs are compacted in the background, and the end of the last compaction is kept over a restart', async () => {
  let now = 1e12
  const config = configOf({ cleanupPolicy: ['compact'], segmentBytes: 500 })
  const manager = await open({ now: () => now })
  const log = await manager.getOrCreate('c', 0, TOPIC_ID, config)
  for (let i = 0; i < 30; i++) await append(log, [{ key: `k${i % 2}`, value: `${i}`, timestamp: now }])
  await manager.tick((now += 15_000))
  await manager.compactionDone()
  expect((await readValues(log)).length).toBeLessThan(12)
  expect((await readValues(log)).slice(-2)).toEqual(['28', '29'])
  const { cleanedTo } = log
  expect(cleanedTo).toBeGreaterThan(20)
  await manager.close()
  expect(read('cleaner-offset-checkpoint')).toBe(`0\n1\nc 0 ${cleanedTo}\n`)
  const again = await open()
  expect(again.get('c', 0)!.cleanedTo).toBe(cleanedTo)
  await again.close()
})

test('retention does not change a log that no topic uses', async () => {
  const manager = await open()
  const log = await manager.getOrCreate('t', 0, TOPIC_ID, configOf({ retentionMs: -1 }))
  await append(log, [{ value: 'old', timestamp: 1000 }])
  await manager.close()
  const again = await open({ retentionCheckIntervalMs: 0 })
  await again.tick(Date.now() + 1)
  expect(await readValues(again.get('t', 0)!)).toEqual(['old'])
  await again.getOrCreate('t', 0, TOPIC_ID, configOf())
  await again.tick(Date.now() + 1)
  expect(again.get('t', 0)!.logStartOffset).toBe(1)
  await again.close()
})

test('a log that cannot be opened can be deleted', async () => {
  mkdirSync(join(dir, 't-0', '00000000000000000000.log'), { recursive: true })
  const manager = await open()
  await manager.delete('t', 0)
  expect(existsSync(join(dir, 't-0'))).toBe(false)
  expect((await manager.getOrCreate('t', 0, TOPIC_ID)).logEndOffset).toBe(0)
  await manager.close()
  expect(existsSync(join(dir, '.kafka_cleanshutdown'))).toBe(true)
})
