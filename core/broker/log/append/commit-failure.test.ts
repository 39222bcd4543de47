import { existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { ErrorCode } from '../../../protocol/error-codes.ts'
import { LogManager } from '../log-manager.ts'
import { ProducerStates } from '../producers/producer-states.ts'
import { Segment } from '../segment/segment.ts'
import {
  append,
  configOf,
  openLog,
  readValues,
  recordingLogger,
  removeDir,
  TOPIC_ID,
  tempDir,
  testEnv,
} from '../test-support/logs.ts'

let dir: string
beforeEach(() => {
  dir = tempDir()
})
afterEach(() => {
  vi.restoreAllMocks()
  removeDir(dir)
})

const storageError = { kafkaCode: ErrorCode.KAFKA_STORAGE_ERROR }
const file = () => join(dir, '00000000000000000000.log')

/** Makes the next append fail after its bytes are written to the file. */
const failNextCommit = () =>
  vi.spyOn(Segment.prototype, 'addToIndexes').mockImplementationOnce(() => {
    throw new RangeError('an unexpected value')
  })

const writes = {
  'a small write': { value: 'b', config: {} },
  'a write in the thread pool': { value: 'b'.repeat(2 << 20), config: { maxMessageBytes: 4 << 20 } },
  'a write that is synced': { value: 'b', config: { fsync: 'group' as const } },
}

test.each(Object.entries(writes))(
  'an error after %s neither truncates the file nor ends the process',
  async (_, write) => {
    const logger = recordingLogger()
    const log = await openLog(dir, write.config, { env: testEnv({ logger }) })
    await append(log, ['a'])
    const before = statSync(file()).size
    failNextCommit()
    await expect(append(log, [write.value])).rejects.toMatchObject(storageError)
    expect(statSync(file()).size).toBeGreaterThan(before)
    expect(logger.lines.filter(l => l.startsWith('ERROR')).join()).toMatch(/Restart the broker to check the log/)

    // Nothing more is written after the failed append. Records that were visible before are still
    // readable.
    await expect(append(log, ['c'])).rejects.toMatchObject(storageError)
    expect(await readValues(log)).toEqual(['a'])
    await log.tick(Date.now() + 1e9)
    await log.flush()
    expect(await log.runRetention(Date.now() + 1e12)).toBe(0)
    await expect(log.deleteRecordsBefore(-1)).rejects.toMatchObject(storageError)
    await expect(log.close()).rejects.toMatchObject(storageError)

    const again = await openLog(dir, write.config, { clean: false, recoveryPoint: log.recoveryPoint })
    expect(await readValues(again)).toEqual(['a', write.value])
    await append(again, ['c'])
    expect((await readValues(again)).at(-1)).toBe('c')
    await again.close()
  },
)

test('a broker in which an append failed after its write does not mark a clean shutdown', async () => {
  const manager = await LogManager.open({ dirs: [dir], defaults: configOf(), logger: recordingLogger() })
  const log = await manager.getOrCreate('t', 0, TOPIC_ID)
  await append(log, ['a'])
  failNextCommit()
  await expect(append(log, ['b'])).rejects.toMatchObject(storageError)
  await manager.close()
  expect(existsSync(join(dir, '.kafka_cleanshutdown'))).toBe(false)
  const again = await LogManager.open({ dirs: [dir], defaults: configOf(), logger: recordingLogger() })
  expect(await readValues(await again.getOrCreate('t', 0, TOPIC_ID))).toEqual(['a', 'b'])
  await again.close()
})

test('an error before the bytes of an append are written fails only that append', async () => {
  const log = await openLog(dir)
  await append(log, ['a'])
  const fail = () => {
    throw new RangeError('an unexpected error')
  }
  vi.spyOn(ProducerStates.prototype, 'get').mockImplementationOnce(fail)
  const outcomes = await Promise.allSettled([
    append(log, ['b'], { producerId: 3, epoch: 0, sequence: 0 }),
    append(log, ['c']),
  ])
  expect(outcomes).toMatchObject([
    { status: 'rejected', reason: storageError },
    { status: 'fulfilled', value: { baseOffset: 1 } },
  ])
  vi.spyOn(Segment.prototype, 'firstTimestamp').mockImplementationOnce(fail)
  await expect(append(log, ['d'])).rejects.toMatchObject(storageError)
  await append(log, ['e'])
  expect(await readValues(log)).toEqual(['a', 'c', 'e'])
  expect(readFileSync(file()).includes('d')).toBe(false)
  await log.close()
})
