/**
 * Tests a machine crash that loses records which a consumer has read. The consumer detects the loss
 * by the leader epoch, and misses no later record.
 */
import { rmSync, statSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { startTestBroker } from '../../core/broker/test-support/test-broker.ts'
import { createConsumer, createProducer } from '../../core/client/index.ts'
import type { Consumer } from '../../core/client/types.ts'
import { setLogLevel } from '../../core/common/log.ts'

setLogLevel('millrace.client', 'OFF')

async function valuesUntil(consumer: Consumer, last: string): Promise<string[]> {
  const values: string[] = []
  while (!values.includes(last))
    for (const batch of await consumer.poll(1000)) values.push(...batch.records.map(r => String(r.value)))
  return values
}

test('a consumer seeks back to the offset where the log was truncated', { timeout: 60_000 }, async () => {
  await using broker = await startTestBroker()
  const common = { bootstrapServers: [broker.bootstrap] }
  const send = async (value: string) => {
    const producer = createProducer(common)
    await producer.send([{ topic: 't', key: null, value: Buffer.from(value) }])
    await producer.close()
  }
  for (const value of ['a', 'b', 'lost']) await send(value)
  const consumer = createConsumer({ ...common, groupId: 'g', autoOffsetReset: 'earliest' })
  consumer.subscribe(['t'])
  try {
    expect(await valuesUntil(consumer, 'lost')).toEqual(['a', 'b', 'lost'])
    await broker.stop()
    rmSync(join(broker.dir, '.kafka_cleanshutdown'))
    const log = join(broker.dir, 't-0/00000000000000000000.log')
    truncateSync(log, statSync(log).size - 5)
    await broker.restart()
    await send('in its place')
    await send('next')
    expect(await valuesUntil(consumer, 'next')).toEqual(['in its place', 'next'])
  } finally {
    await consumer.close()
  }
})

test('a consumer that starts from a committed offset detects that the log was truncated meanwhile', {
  timeout: 60_000,
}, async () => {
  await using broker = await startTestBroker()
  const common = { bootstrapServers: [broker.bootstrap] }
  const send = async (...values: string[]) => {
    const producer = createProducer(common)
    for (const value of values) await producer.send([{ topic: 't', key: null, value: Buffer.from(value) }])
    await producer.close()
  }
  await send('a', 'b', 'lost')
  const open = (groupId: string, autoOffsetReset: 'none' | 'latest' | 'earliest') => {
    const consumer = createConsumer({ ...common, groupId, autoOffsetReset })
    consumer.assign([{ topic: 't', partition: 0 }])
    return consumer
  }
  for (const group of ['goes-back', 'fails']) {
    const consumer = open(group, 'earliest')
    await valuesUntil(consumer, 'lost')
    await consumer.commit()
    await consumer.close()
  }
  await broker.stop()
  rmSync(join(broker.dir, '.kafka_cleanshutdown'))
  const log = join(broker.dir, 't-0/00000000000000000000.log')
  truncateSync(log, statSync(log).size - 5)
  await broker.restart()
  await send('in its place', 'next')
  const follower = open('goes-back', 'latest')
  expect(await valuesUntil(follower, 'next')).toEqual(['in its place', 'next'])
  await follower.close()
  const strict = open('fails', 'none')
  const message =
    'the log of t-0 was truncated at offset 2 (leader epoch 0), but the consumer was at offset 3 (leader epoch 0)'
  const refusal = { code: 'MR_CLIENT_LOG_TRUNCATED', message: expect.stringContaining(message) }
  // The next poll fails too, and does not continue after the gap.
  for (let i = 0; i < 2; i++) await expect(valuesUntil(strict, 'next')).rejects.toMatchObject(refusal)
  expect(strict.position({ topic: 't', partition: 0 })).toBeNull()
  strict.seek({ topic: 't', partition: 0 }, 2)
  expect(await valuesUntil(strict, 'next')).toEqual(['in its place', 'next'])
  await strict.close()
})

test('after crashes without truncation a consumer neither fails nor repeats a record', {
  timeout: 120_000,
}, async () => {
  await using broker = await startTestBroker()
  const common = { bootstrapServers: [broker.bootstrap], retryBackoffMs: 5, reconnectBackoffMaxMs: 50 }
  const producer = createProducer(common)
  let sent = 0
  const send = async (count: number) => {
    const records = Array.from({ length: count }, () => ({ topic: 't', key: null, value: Buffer.from(String(sent++)) }))
    await producer.send(records)
  }
  await send(200)
  const consumer = createConsumer({ ...common, autoOffsetReset: 'none', maxPollRecords: 7, metadataMaxAgeMs: 20 })
  consumer.assign([{ topic: 't', partition: 0 }])
  consumer.seek({ topic: 't', partition: 0 }, 0)
  const values: number[] = []
  const read = async (until: number) => {
    while (values.length < until)
      for (const b of await consumer.poll(1000)) values.push(...b.records.map(r => Number(String(r.value))))
  }
  try {
    for (let crash = 0; crash < 5; crash++) {
      // Many records are buffered, some of them from the previous leader epoch.
      await read(values.length + 50)
      await broker.stop()
      rmSync(join(broker.dir, '.kafka_cleanshutdown'))
      await broker.restart()
      await send(100)
    }
    await read(sent)
    expect(values).toEqual(Array.from({ length: sent }, (_, i) => i))
  } finally {
    await consumer.close()
    await producer.close()
  }
})
