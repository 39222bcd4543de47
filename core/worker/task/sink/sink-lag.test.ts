import { expect, test } from 'vitest'
import { nextTurn } from '../../../common/async/next-turn.ts'
import { createLogger } from '../../../common/log.ts'
import type { TopicPartition } from '../../../connect/record.ts'
import { FakeConsumer } from '../test-support/fake-consumer.ts'
import { SinkLag } from './sink-lag.ts'
import { SinkOffsets } from './sink-offsets.ts'

const T0: TopicPartition = { topic: 't', partition: 0 }

/** A sink that has consumed `consumed` of `count` records. */
async function setUp(count: number, consumed: number) {
  const consumer = new FakeConsumer()
  const offsets = new SinkOffsets()
  const lag = new SinkLag(consumer, offsets, createLogger('test.lag'))
  consumer.produce('t', 0, Array.from({ length: count }, String))
  consumer.maxPollRecords = consumed
  await consumer.give([T0])
  const poll = async () => {
    for (const batch of consumed === 0 ? [] : await consumer.poll(0)) {
      offsets.consumed(batch.topic, batch.partition, batch.records)
      lag.consumed(batch)
    }
  }
  await poll()
  lag.read()
  // The offsets are looked up in the background.
  await nextTurn()
  return { consumer, offsets, lag, poll }
}

test('records that put has not accepted count as lag, also those of the first batch', async () => {
  const { lag, offsets } = await setUp(10, 10)
  expect(lag.read()).toMatchObject({ records: 10, caughtUp: false, partitions: [['t', 0, 0]] })
  offsets.allDelivered()
  expect(lag.read()).toMatchObject({ records: 0, bytes: 0, caughtUp: true, since: null })
})

test('offsets without records at the end of a partition do not count as lag', async () => {
  const { lag, offsets, consumer } = await setUp(10, 6)
  offsets.allDelivered()
  expect(lag.read()).toMatchObject({ records: 4, partitions: [['t', 0, 4]] })
  // The consumer skips offsets that were compacted, or that only have transaction markers.
  consumer.seek(T0, 10)
  expect(lag.read()).toMatchObject({ records: 0, caughtUp: true, partitions: [['t', 0, 0]] })
})

test('records that were deleted before a paused consumer has read them do not count as lag', async () => {
  const { lag, consumer } = await setUp(10, 0)
  expect(lag.read()).toMatchObject({ records: 10, bytes: null, since: null })
  consumer.startOffsets.set('t-0', 7)
  const later = new SinkLag(consumer, new SinkOffsets(), createLogger('test.lag'))
  later.read()
  await nextTurn()
  expect(later.read()).toMatchObject({ records: 3, caughtUp: false })
})

test('after the topic was recreated, all its records count as lag and as uncommitted', async () => {
  const { lag, offsets, consumer, poll } = await setUp(10, 10)
  offsets.allDelivered()
  offsets.committed([{ ...T0, offset: 10 }])
  consumer.log.set('t-0', [])
  consumer.produce('t', 0, ['a', 'b'])
  consumer.seek(T0, 0)
  expect(lag.read()!.records).toBeGreaterThan(0)
  await poll()
  expect(offsets.uncommitted).toBe(2)
  offsets.allDelivered()
  expect(offsets.uncommitted).toBe(2)
})

test('the lag of a sink that had caught up is counted from that time, and not from the time of its last record', async () => {
  const { lag, offsets, consumer, poll } = await setUp(10, 10)
  offsets.allDelivered()
  // The records of the test are from 1970.
  const { measuredAt } = lag.read()!
  consumer.produce('t', 0, ['later'])
  await poll()
  expect(lag.read()).toMatchObject({ records: 1, since: measuredAt })
})
