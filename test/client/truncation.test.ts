/** A crash of the machine takes records that were read already: a consumer notices by the leader epoch, and misses nothing that comes after. */
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

test('a consumer goes back to where the log was cut', { timeout: 60_000 }, async () => {
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
