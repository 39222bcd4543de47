/** What the client must do against any broker: run on ours by client.test.ts and on Apache's by client.peer.test.ts. */
import { setTimeout } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { createAdmin, createConsumer, createProducer } from '../../core/client/index.ts'
import type {
  Admin,
  CompressionType,
  Consumer,
  ConsumerOptions,
  ConsumerRecord,
  Producer,
  ProducerOptions,
  TopicPartition,
} from '../../core/client/types.ts'
import { setLogLevel } from '../../core/common/log.ts'

export interface SuiteBroker {
  readonly bootstrap: string
  restart?(): Promise<void>
  close(): Promise<void>
}

const b = (text: string) => Buffer.from(text)
const tp = (topic: string, partition = 0): TopicPartition => ({ topic, partition })
const nameOf = (p: TopicPartition) => `${p.topic}-${p.partition}`

/** Polls until `count` records have come, or fails after 20 s. */
export async function read(consumer: Consumer, count: number): Promise<ConsumerRecord[]> {
  const records: ConsumerRecord[] = []
  for (const end = Date.now() + 20_000; records.length < count; ) {
    if (Date.now() > end) throw new Error(`${records.length} of ${count} records after 20 s`)
    for (const batch of await consumer.poll(500)) records.push(...batch.records)
  }
  return records
}

/** Polls some consumers in turn until something is so, or fails after 20 s. */
export async function pollUntil(
  consumers: readonly Consumer[],
  so: () => boolean,
  seen: ConsumerRecord[] = [],
): Promise<void> {
  for (const end = Date.now() + 20_000; !so(); ) {
    if (Date.now() > end) throw new Error('it did not become so within 20 s')
    for (const c of consumers) for (const batch of await c.poll(50)) seen.push(...batch.records)
  }
}

export function clientSuite(start: () => Promise<SuiteBroker>): void {
  let broker: SuiteBroker
  let counter = 0
  const open: { close(): Promise<void> }[] = []
  const topicName = (what = 'topic') => `${what}-${process.pid}-${++counter}`
  const common = () => ({ bootstrapServers: [broker.bootstrap] })

  beforeAll(async () => {
    setLogLevel('millrace.client', 'OFF')
    broker = await start()
  })
  afterAll(() => broker?.close())
  afterEach(async () => {
    for (const client of open.splice(0).reverse()) await client.close()
  })

  function producer(options: Partial<ProducerOptions> = {}): Producer {
    const p = createProducer({ ...common(), ...options })
    open.push(p)
    return p
  }
  function consumer(options: Partial<ConsumerOptions> = {}): Consumer {
    const c = createConsumer({ ...common(), autoOffsetReset: 'earliest', ...options })
    open.push(c)
    return c
  }
  function admin(): Admin {
    const a = createAdmin(common())
    open.push(a)
    return a
  }
  async function topicWith(partitions: number, values: readonly string[] = []): Promise<string> {
    const topic = topicName()
    await admin().createTopics([{ name: topic, partitions }])
    if (values.length > 0) {
      await producer().send(values.map((v, i) => ({ topic, partition: i % partitions, key: null, value: b(v) })))
    }
    return topic
  }

  test.for<CompressionType>(['none', 'gzip', 'snappy', 'lz4', 'zstd'])(
    'records come back as they were sent, with %s',
    async compressionType => {
      const topic = await topicWith(1)
      const sent = [
        {
          key: b('k'),
          value: b('v'),
          timestamp: 1_700_000_000_000,
          headers: [
            { key: 'a', value: b('1') },
            { key: 'a', value: null },
          ],
        },
        { key: null, value: null, timestamp: 1_600_000_000_000, headers: [] },
        { key: b(''), value: b(''), timestamp: 1_500_000_000_000, headers: [] },
        { key: b('big'), value: Buffer.alloc(300_000, 'abcdefgh'), timestamp: 1_700_000_000_001, headers: [] },
      ]
      const metadata = await producer({ compressionType }).send(sent.map(r => ({ topic, ...r })))
      expect(metadata.map(m => m.offset)).toEqual([0, 1, 2, 3])
      const c = consumer()
      c.assign([tp(topic)])
      const got = await read(c, 4)
      expect(got.map(({ key, value, timestamp, headers }) => ({ key, value, timestamp, headers }))).toEqual(sent)
      expect(got.map(r => [r.topic, r.partition, r.offset, r.timestampType])).toEqual(
        [0, 1, 2, 3].map(o => [topic, 0, o, 0]),
      )
    },
  )

  test('producing creates a topic where the broker does so by itself', async () => {
    const topic = topicName('auto')
    const [sent] = await producer().send([{ topic, key: null, value: b('x') }])
    expect(sent).toMatchObject({ topic, partition: 0, offset: 0 })
  })

  test('a large record comes through although it is larger than max.partition.fetch.bytes', async () => {
    const topic = await topicWith(1)
    await producer().send([
      { topic, key: null, value: Buffer.alloc(500_000) },
      { topic, key: null, value: b('after') },
    ])
    const c = consumer({ maxPartitionFetchBytes: 1000, fetchMaxBytes: 1000 })
    c.assign([tp(topic)])
    expect((await read(c, 2)).map(r => r.value!.length)).toEqual([500_000, 5])
  })

  test('ten thousand records over several partitions arrive once each, in the order of their partition', async () => {
    const topic = await topicWith(5)
    const p = producer({ compressionType: 'lz4' })
    for (let i = 0; i < 10_000; i++) p.append({ topic, key: b(`key-${i % 97}`), value: b(String(i)) })
    await p.flush()
    const c = consumer({ maxPollRecords: 333 })
    c.assign([0, 1, 2, 3, 4].map(n => tp(topic, n)))
    const got = await read(c, 10_000)
    expect(new Set(got.map(r => String(r.value))).size).toBe(10_000)
    const last = new Map<number, number>()
    for (const r of got) {
      expect(Number(r.value)).toBeGreaterThan(last.get(r.partition) ?? -1)
      last.set(r.partition, Number(r.value))
    }
  })

  test('poll returns at most max.poll.records, and nothing after its timeout', async () => {
    const topic = await topicWith(1, ['a', 'b', 'c', 'd', 'e'])
    const c = consumer({ maxPollRecords: 2 })
    c.assign([tp(topic)])
    const sizes: number[] = []
    while (sizes.reduce((x, y) => x + y, 0) < 5) {
      const batches = await c.poll(5000)
      sizes.push(batches.reduce((n, batch) => n + batch.records.length, 0))
      expect(batches[0]!.highWatermark).toBe(5)
    }
    expect(sizes).toEqual([2, 2, 1])
    expect(await c.poll(20)).toEqual([])
    expect(c.position(tp(topic))).toBe(5)
  })

  test('seeking moves the next record, also back over what was fetched ahead', async () => {
    const topic = await topicWith(1, ['a', 'b', 'c', 'd'])
    const c = consumer({ maxPollRecords: 1 })
    c.assign([tp(topic)])
    const next = async () => String((await read(c, 1))[0]!.value)
    expect(await next()).toBe('a')
    c.seek(tp(topic), 3)
    expect(await next()).toBe('d')
    c.seekToBeginning([tp(topic)])
    expect(await next()).toBe('a')
    c.seekToEnd([tp(topic)])
    await pollUntil([c], () => c.position(tp(topic)) !== null)
    await producer().send([{ topic, key: null, value: b('new') }])
    expect(await next()).toBe('new')
  })

  test('a paused partition is not handed out, others are, and it goes on where it stood', async () => {
    const topic = await topicWith(2, ['a', 'b', 'c', 'd'])
    const c = consumer()
    c.assign([tp(topic, 0), tp(topic, 1)])
    c.pause([tp(topic, 0)])
    expect((await read(c, 2)).map(r => String(r.value))).toEqual(['b', 'd'])
    expect(await c.poll(50)).toEqual([])
    expect(c.paused()).toEqual([tp(topic, 0)])
    c.resume([tp(topic, 0)])
    expect((await read(c, 2)).map(r => String(r.value))).toEqual(['a', 'c'])
  })

  test('offsets by end and by time', async () => {
    const topic = await topicWith(1)
    await producer().send([1000, 2000, 3000].map(timestamp => ({ topic, key: null, value: b('x'), timestamp })))
    const c = consumer()
    expect(await c.beginningOffsets([tp(topic)])).toEqual([0])
    expect(await c.endOffsets([tp(topic)])).toEqual([3])
    const at = (timestamp: number) => ({ ...tp(topic), timestamp })
    expect(await c.offsetsForTimes([at(0), at(1500), at(3000), at(3001)])).toEqual([0, 1, 2, null])
    expect((await c.partitionsFor(topic)).map(p => p.partition)).toEqual([0])
  })

  test('wakeup and an aborted signal end a poll early', async () => {
    const topic = await topicWith(1)
    const c = consumer()
    c.assign([tp(topic)])
    const poll = c.poll(600_000)
    await setTimeout(20)
    c.wakeup()
    expect(await poll).toEqual([])
    expect(await c.poll(600_000, AbortSignal.timeout(20))).toEqual([])
  })

  test('without an offset and with auto.offset.reset=none poll says so, and a seek cures it', async () => {
    const topic = await topicWith(1, ['a'])
    const c = consumer({ autoOffsetReset: 'none' })
    c.assign([tp(topic)])
    await expect(c.poll(5000)).rejects.toMatchObject({ code: 'MR_CLIENT_NO_OFFSET' })
    c.seek(tp(topic), 99)
    await expect(c.poll(5000)).rejects.toMatchObject({ code: 'MR_CLIENT_OFFSET_OUT_OF_RANGE' })
    c.seek(tp(topic), 0)
    expect(await read(c, 1)).toHaveLength(1)
  })

  test('an offset out of range is reset as auto.offset.reset says', async () => {
    const topic = await topicWith(1, ['a', 'b'])
    const c = consumer({ autoOffsetReset: 'earliest' })
    c.assign([tp(topic)])
    c.seek(tp(topic), 99)
    expect((await read(c, 2)).map(r => r.offset)).toEqual([0, 1])
  })

  test('a group goes on from its committed offsets', async () => {
    const topic = await topicWith(1, ['a', 'b', 'c'])
    const groupId = topicName('group')
    const first = consumer({ groupId, maxPollRecords: 2 })
    first.subscribe([topic])
    expect(await read(first, 2)).toHaveLength(2)
    await first.commit()
    expect(await first.committed([tp(topic)])).toMatchObject([{ offset: 2 }])
    await first.close()
    const second = consumer({ groupId })
    second.subscribe([topic])
    expect((await read(second, 1)).map(r => String(r.value))).toEqual(['c'])
    await second.commit([{ ...tp(topic), offset: 1, metadata: 'note' }])
    expect(await second.committed([tp(topic), tp(topic, 7)])).toMatchObject([{ offset: 1, metadata: 'note' }, null])
  })

  test('automatic commits happen from time to time and on close', async () => {
    const topic = await topicWith(1, ['a', 'b', 'c'])
    const groupId = topicName('group')
    const c = consumer({ groupId, autoCommit: true, autoCommitIntervalMs: 20, maxPollRecords: 1 })
    c.subscribe([topic])
    await read(c, 2)
    await pollUntil([c], () => c.position(tp(topic)) === 3)
    await c.close()
    const check = consumer({ groupId })
    expect(await check.committed([tp(topic)])).toMatchObject([{ offset: 3 }])
  })

  test.for(['range', 'roundrobin', 'sticky', 'cooperative-sticky'] as const)(
    'two members share the partitions by %s, and one takes over when the other leaves',
    async assignor => {
      const topic = await topicWith(4)
      const groupId = topicName('group')
      const make = () => consumer({ groupId, assignors: [assignor], heartbeatIntervalMs: 100 })
      const one = make()
      one.subscribe([topic])
      await pollUntil([one], () => one.assignment().length === 4)
      const two = make()
      two.subscribe([topic])
      await pollUntil([one, two], () => one.assignment().length === 2 && two.assignment().length === 2)
      const all = [...one.assignment(), ...two.assignment()].map(nameOf)
      expect(new Set(all).size).toBe(4)
      await two.close()
      await pollUntil([one], () => one.assignment().length === 4)
    },
  )

  test('with cooperative-sticky only what moves is revoked, and reading goes on', async () => {
    const topic = await topicWith(4)
    const groupId = topicName('group')
    const events: string[] = []
    const listener = (who: string) => ({
      onPartitionsAssigned: (p: readonly TopicPartition[]) => void events.push(`${who} +${p.length}`),
      onPartitionsRevoked: (p: readonly TopicPartition[]) => void events.push(`${who} -${p.length}`),
    })
    const make = () => consumer({ groupId, assignors: ['cooperative-sticky'], heartbeatIntervalMs: 100 })
    const one = make()
    one.subscribe([topic], listener('one'))
    await pollUntil([one], () => one.assignment().length === 4)
    const kept = one.assignment().map(nameOf)
    const two = make()
    two.subscribe([topic], listener('two'))
    await pollUntil([one, two], () => one.assignment().length === 2 && two.assignment().length === 2)
    expect(events.filter(e => e.startsWith('one -'))).toEqual(['one -2'])
    expect(one.assignment().every(p => kept.includes(nameOf(p)))).toBe(true)
    expect(events.filter(e => e === 'two +2')).toEqual(['two +2'])
  })

  test('over rebalances every record is read, and none twice where offsets are committed before partitions go', async () => {
    const topic = await topicWith(3)
    const groupId = topicName('group')
    const p = producer()
    let sent = 0
    const produce = async (n: number) => {
      await p.send(
        Array.from({ length: n }, () => ({ topic, key: null, partition: sent % 3, value: b(String(sent++)) })),
      )
    }
    const seen: ConsumerRecord[] = []
    const make = () => {
      const c = consumer({ groupId, heartbeatIntervalMs: 50, maxPollRecords: 7 })
      c.subscribe([topic], { onPartitionsRevoked: () => c.commit() })
      return c
    }
    const one = make()
    await produce(100)
    await pollUntil([one], () => seen.length >= 50, seen)
    const two = make()
    await produce(100)
    await pollUntil([one, two], () => seen.length >= 150 && two.assignment().length > 0, seen)
    await one.close()
    await produce(100)
    await pollUntil([two], () => seen.length >= 300, seen)
    expect(seen.map(r => Number(r.value)).sort((x, y) => x - y)).toEqual(Array.from({ length: 300 }, (_, i) => i))
  })

  test('a static member comes back to its partitions without a rebalance of the others', async () => {
    const topic = await topicWith(4)
    const groupId = topicName('group')
    let rebalances = 0
    const make = (id: string) =>
      consumer({ groupId, groupInstanceId: id, heartbeatIntervalMs: 100, sessionTimeoutMs: 10_000 })
    const stays = make('stays')
    stays.subscribe([topic], { onPartitionsAssigned: () => void rebalances++ })
    const goes = make('goes')
    goes.subscribe([topic])
    await pollUntil([stays, goes], () => stays.assignment().length === 2 && goes.assignment().length === 2)
    const before = rebalances
    const owned = goes.assignment().map(nameOf).sort()
    await goes.close()
    const back = make('goes')
    back.subscribe([topic])
    await pollUntil([stays, back], () => back.assignment().length === 2)
    for (let i = 0; i < 5; i++) for (const member of [stays, back]) await member.poll(50)
    expect(back.assignment().map(nameOf).sort()).toEqual(owned)
    expect(rebalances).toBe(before)
  })

  test('a pattern takes in topics that appear later', async () => {
    const prefix = topicName('pattern')
    const a = admin()
    await a.createTopics([{ name: `${prefix}-a`, partitions: 1 }])
    const c = consumer({ groupId: topicName('group'), metadataMaxAgeMs: 100, heartbeatIntervalMs: 50 })
    c.subscribe(new RegExp(`^${prefix}-`))
    await pollUntil([c], () => c.assignment().length === 1)
    await a.createTopics([{ name: `${prefix}-b`, partitions: 2 }])
    await pollUntil([c], () => c.assignment().length === 3)
  })

  test('a pattern is compared with all topics, also where the metadata was fetched for others before', async () => {
    const prefix = topicName('pattern')
    const other = await topicWith(1)
    await admin().createTopics([{ name: `${prefix}-a`, partitions: 1 }])
    const c = consumer({ groupId: topicName('group') })
    await c.partitionsFor(other)
    c.subscribe(new RegExp(`^${prefix}-`))
    await pollUntil([c], () => c.assignment().length === 1)
  })

  test('partitions that are added to a topic are taken up', async () => {
    const topic = await topicWith(1)
    const c = consumer({ groupId: topicName('group'), metadataMaxAgeMs: 100, heartbeatIntervalMs: 50 })
    c.subscribe([topic])
    await pollUntil([c], () => c.assignment().length === 1)
    await admin().createPartitions({ [topic]: 3 })
    await pollUntil([c], () => c.assignment().length === 3)
  })

  test('a changed subscription changes the assignment; unsubscribe gives everything back', async () => {
    const [first, second] = [await topicWith(1), await topicWith(1)]
    const c = consumer({ groupId: topicName('group') })
    const revoked: string[] = []
    const listener = { onPartitionsRevoked: (p: readonly TopicPartition[]) => void revoked.push(...p.map(nameOf)) }
    c.subscribe([first], listener)
    await pollUntil([c], () => c.assignment().some(p => p.topic === first))
    c.subscribe([second], listener)
    await pollUntil([c], () => c.assignment().some(p => p.topic === second))
    expect(c.assignment().map(p => p.topic)).toEqual([second])
    await c.unsubscribe()
    expect(c.assignment()).toEqual([])
    expect(revoked).toEqual([`${first}-0`, `${second}-0`])
  })

  test('a member that does not poll for max.poll.interval.ms loses its partitions, hears of it, and comes back', async () => {
    const topic = await topicWith(1)
    const groupId = topicName('group')
    const lost: string[] = []
    const c = consumer({ groupId, maxPollIntervalMs: 300, heartbeatIntervalMs: 50, sessionTimeoutMs: 6000 })
    c.subscribe([topic], { onPartitionsLost: p => void lost.push(...p.map(nameOf)) })
    await pollUntil([c], () => c.assignment().length === 1)
    const commit = () => c.commit([{ ...tp(topic), offset: 1 }]).catch(error => error.code)
    await expect.poll(commit, { timeout: 20_000 }).toBe('MR_CLIENT_COMMIT_FAILED')
    await pollUntil([c], () => lost.length === 1 && c.assignment().length === 1)
  })

  test('a listener that throws fails the poll, and the consumer can go on', async () => {
    const topic = await topicWith(1, ['a'])
    const c = consumer({ groupId: topicName('group') })
    let thrown = false
    c.subscribe([topic], {
      onPartitionsAssigned: async () => {
        await setTimeout(1)
        if (thrown) return
        thrown = true
        throw new Error('not yet')
      },
    })
    await expect(pollUntil([c], () => thrown && c.assignment().length === 0)).rejects.toThrow('not yet')
    expect(await read(c, 1)).toHaveLength(1)
  })

  test('a topic that is created after it was subscribed to is taken up', async () => {
    const topic = topicName('later')
    const c = consumer({ groupId: topicName('group'), allowAutoCreateTopics: false, heartbeatIntervalMs: 50 })
    c.subscribe([topic])
    expect(await c.poll(200)).toEqual([])
    await admin().createTopics([{ name: topic, partitions: 2 }])
    await pollUntil([c], () => c.assignment().length === 2)
  })

  test('a topic that is deleted and created anew under producer and consumer is written and read again', async () => {
    const topic = await topicWith(1)
    const p = producer()
    const c = consumer({ allowAutoCreateTopics: false })
    c.assign([tp(topic)])
    await p.send(['a', 'b', 'c'].map(v => ({ topic, key: null, value: b(v) })))
    expect(await read(c, 3)).toHaveLength(3)
    const a = admin()
    await a.deleteTopics([topic])
    await c.poll(50)
    // Apache's broker goes on deleting for a moment.
    for (let created = false; !created; ) {
      created = await a.createTopics([{ name: topic, partitions: 1 }]).then(
        () => true,
        () => setTimeout(50, false),
      )
    }
    const [sent] = await p.send([{ topic, key: null, value: b('new') }])
    expect(sent!.offset).toBe(0)
    const got = await read(c, 1)
    expect(got.map(r => [r.offset, String(r.value)])).toEqual([[0, 'new']])
  })

  test('misuse is an error at once', async () => {
    const topic = await topicWith(1)
    const c = consumer()
    expect(() => c.subscribe([topic])).toThrow(/MR_CLIENT_NO_GROUP/)
    await expect(c.poll(1)).rejects.toThrow(/neither subscribed nor assigned/)
    expect(() => c.seek(tp(topic), 0)).toThrow(/not assigned/)
    c.assign([tp(topic)])
    const poll = c.poll(200)
    await expect(c.poll(1)).rejects.toThrow(/being polled already/)
    await poll
    await c.close()
    await expect(c.poll(1)).rejects.toMatchObject({ code: 'MR_CLIENT_CLOSED' })
  })

  test('the admin client creates, describes, lists and deletes', async () => {
    const a = admin()
    const topic = topicName('admin')
    await a.createTopics([{ name: topic, partitions: 2, configs: { 'cleanup.policy': 'compact' } }])
    await expect(a.createTopics([{ name: topic }])).rejects.toMatchObject({ kafkaCode: 36 })
    await a.createPartitions({ [topic]: 3 })
    // Brokers learn of it a moment after the controller.
    await expect.poll(async () => (await a.describeTopics([topic]))[0]?.partitions.length).toBe(3)
    const [described, missing] = await a.describeTopics([topic, topicName('missing')])
    expect(described).toMatchObject({ name: topic, internal: false })
    expect(described!.partitions.map(p => p.partition)).toEqual([0, 1, 2])
    expect(missing).toBeNull()
    expect((await a.listTopics()).map(t => t.name)).toContain(topic)
    const configs = await a.describeConfigs({ type: 'topic', name: topic })
    expect(configs.find(c => c.name === 'cleanup.policy')).toMatchObject({ value: 'compact', isDefault: false })
    const cluster = await a.describeCluster()
    expect(cluster.brokers).toHaveLength(1)
    expect((await a.describeConfigs({ type: 'broker', name: String(cluster.brokers[0]!.id) })).length).toBeGreaterThan(
      10,
    )
    expect(await a.listOffsets([{ ...tp(topic), timestamp: -1 }])).toMatchObject([{ offset: 0 }])
    await a.deleteTopics([topic])
    await expect(a.deleteTopics([topic])).rejects.toMatchObject({ kafkaCode: 3 })
  })

  test('the admin client sees groups and changes their offsets', async () => {
    const a = admin()
    const topic = await topicWith(2)
    const groupId = topicName('group')
    const c = consumer({ groupId, clientId: 'someone' })
    c.subscribe([topic])
    await pollUntil([c], () => c.assignment().length === 2)
    const [group] = await a.describeGroups([groupId])
    expect(group).toMatchObject({ groupId, state: 'Stable', protocolType: 'consumer', protocol: 'range' })
    expect(group!.members).toMatchObject([{ clientId: 'someone' }])
    expect((await a.listGroups()).find(g => g.groupId === groupId)).toMatchObject({ protocolType: 'consumer' })
    await expect(a.deleteGroups([groupId])).rejects.toMatchObject({ kafkaCode: 68 })
    await expect(a.deleteGroupOffsets(groupId, [tp(topic)])).rejects.toMatchObject({ kafkaCode: 86 })
    await c.close()
    await a.alterGroupOffsets(groupId, [{ ...tp(topic, 1), offset: 5 }])
    expect(await a.listGroupOffsets(groupId)).toMatchObject([{ ...tp(topic, 1), offset: 5 }])
    await a.alterGroupOffsets(groupId, [{ ...tp(topic, 0), offset: 3 }])
    await a.deleteGroupOffsets(groupId, [tp(topic, 1)])
    expect(await a.listGroupOffsets(groupId)).toMatchObject([{ ...tp(topic, 0), offset: 3 }])
    await a.deleteGroups([groupId])
    expect(await a.describeGroups([groupId])).toMatchObject([{ state: 'Dead' }])
  })

  test('a wrong address is one clear error within the time given', async () => {
    const p = createProducer({
      bootstrapServers: ['127.0.0.1:1'],
      maxBlockMs: 100,
      deliveryTimeoutMs: 60_000,
      requestTimeoutMs: 1000,
    })
    open.push({ close: () => p.close({ timeoutMs: 0 }) })
    await expect(p.send([{ topic: 't', key: null, value: null }])).rejects.toThrow(/127\.0\.0\.1:1.*ECONNREFUSED/)
  })

  test('a broker that restarts under producer and consumer is only a delay', async ({ skip }) => {
    if (!broker.restart) skip()
    const topic = await topicWith(2)
    const c = consumer({ groupId: topicName('group'), heartbeatIntervalMs: 100 })
    c.subscribe([topic])
    const p = producer()
    const seen: ConsumerRecord[] = []
    await p.send([{ topic, key: null, value: b('before') }])
    await pollUntil([c], () => seen.length === 1, seen)
    const restarted = broker.restart!()
    const during = p.send([{ topic, key: null, value: b('during') }])
    await restarted
    await during
    await pollUntil([c], () => seen.length >= 2, seen)
    expect(seen.map(r => String(r.value))).toEqual(['before', 'during'])
    await c.commit()
  })
}
