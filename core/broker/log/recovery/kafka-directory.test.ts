import { readdirSync, readFileSync, rmSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { DecodedRecord } from '../../../protocol/records/batch-reader.ts'
import { LogManager } from '../log-manager.ts'
import type { PartitionLog } from '../partition-log.ts'
import { indexProblems } from '../test-support/check-indexes.ts'
import { fixtureFile, kafkaFixture, unpackFixture } from '../test-support/kafka-fixture.ts'
import { append, configOf, openLog, readAll, recordingLogger, removeDir, tempDir } from '../test-support/logs.ts'

let dir: string
beforeEach(() => {
  dir = tempDir()
  unpackFixture(dir)
})
afterEach(() => removeDir(dir))

const open = () => LogManager.open({ dirs: [dir], defaults: configOf(), logger: recordingLogger() })
const seen = (r: DecodedRecord) => [r.offset, r.timestamp, r.value?.toString() ?? null]
const expected = (name: 'fix-0' | 'comp-0') =>
  kafkaFixture.records[name].filter(r => r.control === undefined).map(r => [r.offset, r.timestamp, r.value])

async function dataOf(log: PartitionLog): Promise<unknown[]> {
  const controls = new Set(kafkaFixture.records['fix-0'].filter(r => r.control !== undefined).map(r => r.offset))
  return (await readAll(log)).filter(r => log.topic === 'comp' || !controls.has(r.offset)).map(seen)
}

test('a directory that Apache Kafka wrote opens with its records, topic ids, producers and transactions', async () => {
  const manager = await open()
  const log = manager.get('fix', 0)!
  expect(await dataOf(log)).toEqual(expected('fix-0'))
  expect(await dataOf(manager.get('comp', 0)!)).toEqual(expected('comp-0'))
  expect([log.logStartOffset, log.logEndOffset, log.lastStableOffset]).toEqual([0, 84, 84])
  expect(log.topicId).toMatch(/^[\w-]{22}$/)
  expect(log.producerStates()).toMatchObject([
    { producerId: 0, producerEpoch: 0, lastSequence: 59, coordinatorEpoch: -1 },
    { producerId: 2, producerEpoch: 0, lastSequence: 15, coordinatorEpoch: 0, currentTxnStartOffset: -1 },
  ])
  expect(await log.abortedTransactions(0, 84)).toContainEqual({ producerId: 2, firstOffset: 18 })
  expect(await log.abortedTransactions(18, 19)).toEqual([{ producerId: 2, firstOffset: 18 }])
  expect(await log.offsetForTimestamp(1700000040000)).toMatchObject({ timestamp: 1795230426629, offset: 17 })
  expect((await append(log, ['ours'])).baseOffset).toBe(84)
  await manager.close()
})

test("indexes and producer snapshots rebuilt from Kafka's segments equal Kafka's files byte for byte", async () => {
  const path = join(dir, 'fix-0')
  const kept = readdirSync(path).filter(n => n.endsWith('.log') || n === 'leader-epoch-checkpoint')
  for (const name of readdirSync(path)) if (!kept.includes(name)) rmSync(join(path, name))
  const log = await openLog(path, { indexIntervalBytes: 100 })
  await log.close()
  const made = readdirSync(path).filter(n => /\.(index|timeindex|txnindex)$/.test(n) || n.endsWith('84.snapshot'))
  expect(made.filter(n => n.endsWith('.txnindex')).length).toBe(4)
  for (const name of made) expect([name, readFileSync(join(path, name))]).toEqual([name, fixtureFile(`fix-0/${name}`)])
})

test('the directory of an Apache Kafka that was killed is recovered, including preallocated indexes', async () => {
  rmSync(join(dir, '.kafka_cleanshutdown'))
  rmSync(join(dir, 'fix-0', '00000000000000000084.snapshot'))
  for (const type of ['index', 'timeindex']) truncateSync(join(dir, 'fix-0', `00000000000000000080.${type}`), 10485756)
  truncateSync(join(dir, 'fix-0', '00000000000000000080.log'), 260)
  const manager = await open()
  const log = manager.get('fix', 0)!
  expect(log.logEndOffset).toBe(83)
  expect(await dataOf(log)).toEqual(expected('fix-0').filter(([offset]) => Number(offset) < 83))
  await manager.close()
  expect(indexProblems(join(dir, 'fix-0'))).toEqual([])
})
