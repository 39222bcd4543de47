/** Makes the same calls to the consumer in memory and to the real one, and compares the results. */
import { expect, test } from 'vitest'
import { createAdmin, createConsumer, createProducer } from '../client/index.ts'
import type { Consumer, TopicPartition } from '../client/types.ts'
import { isRetriable } from '../common/errors/error-table.ts'
import { MemoryConsumer } from './memory-consumer.ts'
import { MemoryGroup } from './memory-group.ts'
import { MemoryLog } from './memory-log.ts'
import { startTestBroker } from './test-broker.ts'

const A: TopicPartition = { topic: 'a', partition: 0 }
const B: TopicPartition = { topic: 'b', partition: 0 }
const RECORDS = 3

/** Polls until `count` records have arrived. Returns their topics, partitions and offsets. */
async function read(consumer: Consumer, count: number): Promise<string[]> {
  const found: string[] = []
  while (found.length < count) {
    for (const batch of await consumer.poll(1000)) {
      for (const r of batch.records) found.push(`${r.topic}-${r.partition}@${r.offset}`)
    }
  }
  return found.sort()
}

async function codeOf(call: () => unknown): Promise<unknown> {
  try {
    await call()
    return 'no error'
  } catch (error) {
    return isRetriable(error) ? 'retriable' : (error as { code?: string }).code
  }
}

type Create = (groupId: string) => Consumer

/** The cases by name. Each returns a result that must be the same for both consumers. */
const CASES: Readonly<Record<string, (create: Create) => Promise<unknown>>> = {
  'assigned partitions stay assigned after polls, and assign replaces them': async create => {
    const consumer = create('assign')
    consumer.assign([A])
    const first = await read(consumer, RECORDS)
    consumer.seek(A, 1)
    consumer.assign([A, B])
    const second = await read(consumer, 2 * RECORDS - 1)
    const result = [first, second, consumer.assignment(), consumer.position(A), consumer.position(B)]
    await consumer.commit()
    const committed = await consumer.committed([A, B])
    await consumer.close()
    return [...result, committed.map(c => c?.offset)]
  },
  'a partition that stays assigned stays paused': async create => {
    const consumer = create('pause')
    consumer.assign([A, B])
    consumer.pause([A])
    const first = await read(consumer, RECORDS)
    consumer.assign([A])
    const paused = consumer.paused()
    consumer.resume([A])
    const second = await read(consumer, RECORDS)
    await consumer.close()
    return [first, paused, second]
  },
  'seekToEnd and seekToBeginning without partitions move all assigned partitions': async create => {
    const consumer = create('seek')
    consumer.assign([A, B])
    await read(consumer, 2 * RECORDS)
    consumer.seekToBeginning([])
    const again = await read(consumer, 2 * RECORDS)
    await consumer.close()
    return again
  },
  'unsubscribe releases the partitions, and the consumer can subscribe again': async create => {
    const events: string[] = []
    const listener = (name: string) => ({
      onPartitionsAssigned: (p: readonly TopicPartition[]) => void events.push(`${name} assigned ${p.length}`),
      onPartitionsRevoked: (p: readonly TopicPartition[]) => void events.push(`${name} revoked ${p.length}`),
    })
    const consumer = create('again')
    consumer.subscribe(['a'], listener('first'))
    await read(consumer, RECORDS)
    await consumer.unsubscribe()
    const between = [consumer.assignment(), consumer.subscription(), await codeOf(() => consumer.poll(0))]
    consumer.subscribe(/^b$/g, listener('second'))
    const second = await read(consumer, RECORDS)
    await consumer.close()
    return [between, second, events]
  },
  'misuse is an error': async create => {
    const assigned = create('misuse')
    const codes = [await codeOf(() => assigned.poll(0))]
    assigned.assign([A])
    codes.push(await codeOf(() => assigned.subscribe(['a'])))
    for (const call of [
      () => assigned.seek(B, 0),
      () => assigned.seek(A, -1),
      () => assigned.seek(A, Number.NaN),
      () => assigned.position(B),
      () => assigned.pause([B]),
      () => assigned.resume([B]),
      () => assigned.seekToEnd([B]),
    ])
      codes.push(await codeOf(call))
    await read(assigned, RECORDS)
    const pending = assigned.poll(50)
    codes.push(await codeOf(() => assigned.poll(0)))
    await pending
    await assigned.close()
    await assigned.close()
    for (const call of [() => assigned.poll(0), () => assigned.assign([A]), () => assigned.commit([])])
      codes.push(await codeOf(call))
    const subscribed = create('misuse-2')
    subscribed.subscribe(['a'])
    codes.push(await codeOf(() => subscribed.assign([A])))
    await subscribed.close()
    return codes
  },
}

test('the consumer in memory returns and throws the same as the real one, and records have the same partitions', async () => {
  await using broker = await startTestBroker()
  const bootstrapServers = [broker.bootstrapServers]
  const admin = createAdmin({ bootstrapServers })
  const producer = createProducer({ bootstrapServers })
  const log = new MemoryLog()
  log.createTopic('keyed', 5)
  const keyed = Array.from({ length: 20 }, (_, n) => ({ topic: 'keyed', key: Buffer.from(`k${n}`), value: null }))
  const records = [A, B].flatMap(p =>
    Array.from({ length: RECORDS }, () => ({ ...p, key: null, value: Buffer.from('x') })),
  )
  try {
    await admin.createTopics([A, B].map(({ topic }) => ({ name: topic, partitions: 1 })))
    await admin.createTopics([{ name: 'keyed', partitions: 5 }])
    await producer.send(records)
    const written = await producer.send(keyed)
    expect(keyed.map(record => log.append(record).partition)).toEqual(written.map(w => w.partition))
  } finally {
    await admin.close()
    await producer.close()
  }
  for (const record of records) log.append(record)
  const groups = new Map<string, MemoryGroup>()
  const groupOf = (id: string) => {
    const group = groups.get(id) ?? new MemoryGroup()
    groups.set(id, group)
    return group
  }
  for (const [name, run] of Object.entries(CASES)) {
    const real = await run(groupId =>
      createConsumer({ bootstrapServers, groupId, autoOffsetReset: 'earliest', autoCommit: false }),
    )
    const memory = await run(groupId => new MemoryConsumer(log, groupOf(groupId)))
    expect(memory, name).toEqual(real)
  }
})
