import { afterEach, expect, test } from 'vitest'
import { setLogLevel } from '../../common/log.ts'
import { ApiKey } from '../../protocol/api-keys.ts'
import { ErrorCode } from '../../protocol/error-codes.ts'
import { RecordBatchBuilder } from '../../protocol/records/batch-builder.ts'
import { SimBroker } from '../test-support/sim-broker.ts'
import type { Consumer } from '../types.ts'
import { createConsumer } from './consumer.ts'

setLogLevel('millrace.client', 'OFF')

const cleanups: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const f of cleanups.splice(0).reverse()) await f()
})

function batch(offset: number, ...values: string[]): Buffer {
  const builder = new RecordBatchBuilder({ baseOffset: offset, leaderEpoch: 0 })
  for (const v of values) builder.append(null, Buffer.from(v), 1)
  return builder.build()
}

/** A consumer at offset 0 of topic t, and a broker that answers its fetches as it is told. */
async function reading(answer: (offset: number) => { errorCode: number } | { records: Buffer }): Promise<Consumer> {
  let next = 0
  const broker = await SimBroker.start({
    topics: { t: 1 },
    answer: (key, request) => {
      if (key !== ApiKey.Fetch) return undefined
      const fetch = request as { topics: { topicId: string; partitions: { fetchOffset: number }[] }[] }
      const asked = fetch.topics[0]
      if (asked) next = asked.partitions[0]!.fetchOffset
      const said = answer(next)
      if ('errorCode' in said) return said
      const partitions = [{ partitionIndex: 0, highWatermark: 100, records: said.records }]
      return { responses: asked ? [{ topicId: asked.topicId, partitions }] : [] }
    },
  })
  const quick = { retryBackoffMs: 1, retryBackoffMaxMs: 5, reconnectBackoffMs: 1 }
  const consumer = createConsumer({ bootstrapServers: broker.bootstrap, ...quick })
  cleanups.push(
    () => broker.stop(),
    () => consumer.close({ timeoutMs: 100 }),
  )
  consumer.assign([{ topic: 't', partition: 0 }])
  consumer.seek({ topic: 't', partition: 0 }, 0)
  return consumer
}

async function valuesOf(consumer: Consumer): Promise<string[]> {
  return (await consumer.poll(20_000)).flatMap(b => b.records.map(r => String(r.value)))
}

test('a broker that cannot serve a fetch at the moment is asked again, and poll does not fail', async () => {
  let n = 0
  const consumer = await reading(() =>
    ++n < 5 ? { errorCode: ErrorCode.UNKNOWN_SERVER_ERROR } : { records: batch(0, 'a') },
  )
  expect(await valuesOf(consumer)).toEqual(['a'])
})

test('a broker that forgets the fetch session again and again is not stormed', async () => {
  let n = 0
  const consumer = await reading(() => {
    n++
    return { errorCode: ErrorCode.FETCH_SESSION_ID_NOT_FOUND }
  })
  expect(await consumer.poll(200)).toEqual([])
  // Every 5 ms at the most, where one right after the other would be hundreds.
  expect(n).toBeLessThan(60)
})

test('records before a batch that cannot be read are handed out; the error names that batch, and a seek goes past it', async () => {
  const broken = batch(2, 'c')
  broken[broken.length - 1]! ^= 0xff
  const log = [batch(0, 'a', 'b'), broken, batch(3, 'd')]
  const starts = [0, 2, 3]
  const consumer = await reading(offset => ({
    records: Buffer.concat(log.slice(starts.findLastIndex(s => s <= offset))),
  }))
  expect(await valuesOf(consumer)).toEqual(['a', 'b'])
  const partition = { topic: 't', partition: 0 }
  await expect(valuesOf(consumer)).rejects.toMatchObject({
    code: 'MR_CLIENT_CORRUPT_RECORDS',
    message: expect.stringContaining('at offset 2'),
  })
  consumer.seek(partition, 3)
  expect(await valuesOf(consumer)).toEqual(['d'])
})
