import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ErrorCode } from '../../protocol/error-codes.ts'
import { parseBrokerConfig } from '../config/broker-config.ts'
import { newTopic } from '../test-support/decisions.ts'
import { silentLogger } from '../test-support/test-broker.ts'
import { QuorumController } from './controller.ts'
import { EMPTY_IMAGE, type MetadataImage } from './image.ts'
import { randomUuid } from './meta-properties.ts'
import type { MetadataBatch } from './metadata-log.ts'
import { decodeRecord, type MetadataRecord } from './records.ts'
import { Replay } from './replay.ts'

/**
 * The outcome of an append: the records are written, are lost because the append fails, or are
 * written although the append fails, as if the disk's response were lost.
 */
type AppendOutcome = 'written' | 'lost' | 'in doubt'

const PLAIN = { timestamp: 0, size: 0, quorum: {} }

/** A metadata log in memory, which can fail. */
class MemoryLog {
  readonly batches: MetadataBatch[] = []
  fates: AppendOutcome[] = []
  endOffset = 0

  async append(records: readonly MetadataRecord[], epoch: number): Promise<number> {
    await Promise.resolve()
    const outcome = this.fates.shift() ?? 'written'
    if (outcome === 'lost') throw new Error('ENOSPC: no space left on device')
    this.endOffset += records.length
    this.batches.push({
      ...PLAIN,
      lastOffset: this.endOffset - 1,
      epoch,
      records: records.map(r => decodeRecord(r.bytes)),
    })
    if (outcome === 'in doubt') throw new Error('EIO')
    return this.endOffset - 1
  }

  appendLeaderChange(epoch: number): Promise<number> {
    return Promise.resolve(this.batches.push({ ...PLAIN, lastOffset: this.endOffset++, epoch, records: [] }))
  }

  restore(): Promise<MetadataImage> {
    return Promise.resolve(EMPTY_IMAGE)
  }

  async *replay(from: number): AsyncGenerator<MetadataBatch> {
    for (const b of this.batches) if (b.lastOffset >= from) yield b
  }

  image(): MetadataImage {
    const replay = new Replay(EMPTY_IMAGE)
    for (const b of this.batches) replay.add(b)
    return replay.image
  }
}

const REGISTRATION = { brokerId: 1, incarnationId: randomUuid(), endpoints: [], rack: null, logDirs: [randomUuid()] }

/**
 * Records the order in which logs are created and removed, and whether the image contains their
 * topic at that time.
 */
class Effects {
  readonly seen: string[] = []
  shown: () => MetadataImage = () => EMPTY_IMAGE

  async create(previous: MetadataImage, next: MetadataImage): Promise<void> {
    await Promise.resolve()
    for (const name of next.topicsByName.keys())
      if (!previous.topicsByName.has(name)) this.seen.push(`make ${name} ${this.shown().topicsByName.has(name)}`)
  }

  update(previous: MetadataImage, next: MetadataImage): void {
    for (const name of previous.topicsByName.keys())
      if (!next.topicsByName.has(name)) this.seen.push(`remove ${name} ${this.shown().topicsByName.has(name)}`)
  }
}

async function started(log = new MemoryLog()) {
  const partitions = new Effects()
  const config = parseBrokerConfig({})
  const c = new QuorumController({ log, config, nodeId: 1, partitions, logger: silentLogger, now: () => 0 })
  partitions.shown = () => c.image
  await c.start(REGISTRATION)
  return { c, log, effects: partitions }
}

test('a new cluster begins with its features and its broker, and after a restart its node leads in the next epoch', async () => {
  const { c, log } = await started()
  expect([...c.image.features]).toEqual([['metadata.version', 30]])
  expect(c.image.brokers.get(1)).toMatchObject({ fenced: false, epoch: 2 })
  expect(c.image.epoch).toBe(1)
  const again = await started(log)
  expect(again.c.image.epoch).toBe(2)
  expect(again.c.image.brokers.get(1)?.epoch).toBe(4)
})

test('logs are created before the image contains their topic, and removed after the image no longer contains it', async () => {
  const { c, effects } = await started()
  const [made] = await c.createTopics([newTopic('a')])
  await c.deleteTopics([made!.value!.id])
  expect(effects.seen).toEqual(['make a false', 'remove a false'])
})

test('a request with validateOnly computes the outcome and writes nothing', async () => {
  const { c, log } = await started()
  const before = log.endOffset
  const [fine] = await c.createTopics([newTopic('a')], { validateOnly: true })
  expect(fine?.error).toBe(null)
  expect(log.endOffset).toBe(before)
  expect(c.image.topicsByName.size).toBe(0)
})

test('fifty concurrent calls of ensureTopic for the same name return the same topic', async () => {
  const { c } = await started()
  const all = await Promise.all(Array.from({ length: 50 }, () => c.ensureTopic('t')))
  expect(new Set(all.map(o => o.value?.id)).size).toBe(1)
})

test('internal topics get their own settings, and as many replicas as there are brokers', async () => {
  const { c } = await started()
  const made = await c.ensureTopic('__consumer_offsets')
  expect(made.value?.partitions.length).toBe(50)
  expect(c.image.configs.get('2:__consumer_offsets')?.get('cleanup.policy')).toBe('compact')
})

test('blocks of producer ids never overlap, even after restarts', async () => {
  const { c, log } = await started()
  const blocks = await Promise.all([c.allocateProducerIds(), c.allocateProducerIds()])
  const later = await (await started(log)).c.allocateProducerIds()
  expect([...blocks, later].map(b => b.first)).toEqual([0, 1000, 2000])
})

test('a request that would write too many records is rejected completely', async () => {
  const { c } = await started()
  const [refused] = await c.createTopics([newTopic('huge', { numPartitions: 10_000 })])
  expect(refused?.error?.code).toBe(ErrorCode.POLICY_VIOLATION)
  expect(c.image.topicsByName.size).toBe(0)
})

test('a change that cannot be written fails with a storage error, and the next change is attempted', async () => {
  const { c, log } = await started()
  log.fates = ['lost']
  await expect(c.createTopics([newTopic('a')])).rejects.toMatchObject({ kafkaCode: ErrorCode.KAFKA_STORAGE_ERROR })
  expect(c.image.topicsByName.size).toBe(0)
  expect((await c.createTopics([newTopic('a')]))[0]?.error).toBe(null)
})

test('after any failures, the image equals the one that a restart would read', async () => {
  const outcome = fc.constantFrom<AppendOutcome>('written', 'written', 'written', 'lost', 'in doubt')
  const step = fc.record({ what: fc.nat(3), which: fc.nat(3), outcome })
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 25 }), async steps => {
      const { c, log } = await started()
      log.fates = steps.map(s => s.outcome)
      const run = async ({ what, which }: { what: number; which: number }) => {
        const name = `t${which}`
        if (what === 0) return c.createTopics([newTopic(name)])
        if (what === 1) return c.ensureTopic(name)
        if (what === 2) return c.deleteTopics([c.image.topicsByName.get(name)?.id ?? ''])
        return c.allocateProducerIds()
      }
      await Promise.allSettled(steps.map(run))
      await c.close()
      expect(c.image).toEqual(log.image())
    }),
  )
})
