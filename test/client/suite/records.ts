/**
 * Tests of records: sending, reading, seeking, pausing, and topics that are created and deleted.
 */
import { expect, test } from 'vitest'
import { createProducer } from '../../../core/client/index.ts'
import type { CompressionType } from '../../../core/client/types.ts'
import { sleep } from '../../../core/common/async/sleep.ts'
import { b, pollUntil, read, type SuiteTools, tp } from './tools.ts'

export function recordsSuite(tools: SuiteTools): void {
  const { topicName, producer, consumer, admin, topicWith, closing } = tools

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

  test('producing creates a topic if the broker creates topics automatically', async () => {
    const topic = topicName('auto')
    const [sent] = await producer().send([{ topic, key: null, value: b('x') }])
    expect(sent).toMatchObject({ topic, partition: 0, offset: 0 })
  })

  test('a record that is larger than max.partition.fetch.bytes is read', async () => {
    const topic = await topicWith(1)
    await producer().send([
      { topic, key: null, value: Buffer.alloc(500_000) },
      { topic, key: null, value: b('after') },
    ])
    const c = consumer({ maxPartitionFetchBytes: 1000, fetchMaxBytes: 1000 })
    c.assign([tp(topic)])
    expect((await read(c, 2)).map(r => r.value!.length)).toEqual([500_000, 5])
  })

  test('ten thousand records in several partitions arrive once each, and in order', async () => {
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

  test('poll returns at most max.poll.records, and an empty result after its timeout', async () => {
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

  test('a seek changes which record comes next, also if that record is before the buffered records', async () => {
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

  test('a paused partition is not read while others are, and after a resume it continues at its position', async () => {
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

  test('the client finds the first and the end offset of a log, and offsets by timestamp', async () => {
    const topic = await topicWith(1)
    await producer().send([1000, 2000, 3000].map(timestamp => ({ topic, key: null, value: b('x'), timestamp })))
    const c = consumer()
    expect(await c.beginningOffsets([tp(topic)])).toEqual([0])
    expect(await c.endOffsets([tp(topic)])).toEqual([3])
    const at = (timestamp: number) => ({ ...tp(topic), timestamp })
    expect(await c.offsetsForTimes([at(0), at(1500), at(3000), at(3001)])).toEqual([0, 1, 2, null])
    expect((await c.partitionsFor(topic)).map(p => p.partition)).toEqual([0])
  })

  test('wakeup and an aborted signal end a poll', async () => {
    const topic = await topicWith(1)
    const c = consumer()
    c.assign([tp(topic)])
    const poll = c.poll(600_000)
    await sleep(20)
    c.wakeup()
    expect(await poll).toEqual([])
    expect(await c.poll(600_000, AbortSignal.timeout(20))).toEqual([])
  })

  test('without an offset and with auto.offset.reset=none poll fails, and a seek resolves it', async () => {
    const topic = await topicWith(1, ['a'])
    const c = consumer({ autoOffsetReset: 'none' })
    c.assign([tp(topic)])
    await expect(c.poll(5000)).rejects.toMatchObject({ code: 'MR_CLIENT_NO_OFFSET' })
    c.seek(tp(topic), 99)
    await expect(c.poll(5000)).rejects.toMatchObject({ code: 'MR_CLIENT_OFFSET_OUT_OF_RANGE' })
    c.seek(tp(topic), 0)
    expect(await read(c, 1)).toHaveLength(1)
  })

  test('an offset out of range is reset according to auto.offset.reset', async () => {
    const topic = await topicWith(1, ['a', 'b'])
    const c = consumer({ autoOffsetReset: 'earliest' })
    c.assign([tp(topic)])
    c.seek(tp(topic), 99)
    expect((await read(c, 2)).map(r => r.offset)).toEqual([0, 1])
  })

  test('producer and consumer continue after a topic was recreated', async () => {
    const topic = await topicWith(1)
    const p = producer()
    const c = consumer({ allowAutoCreateTopics: false })
    c.assign([tp(topic)])
    await p.send(['a', 'b', 'c'].map(v => ({ topic, key: null, value: b(v) })))
    expect(await read(c, 3)).toHaveLength(3)
    const a = admin()
    await a.deleteTopics([topic])
    await c.poll(50)
    // Apache's broker finishes the deletion a moment later.
    for (let created = false; !created; ) {
      created = await a.createTopics([{ name: topic, partitions: 1 }]).then(
        () => true,
        () => sleep(50).then(() => false),
      )
    }
    const [sent] = await p.send([{ topic, key: null, value: b('new') }])
    expect(sent!.offset).toBe(0)
    const got = await read(c, 1)
    expect(got.map(r => [r.offset, String(r.value)])).toEqual([[0, 'new']])
  })

  test('misuse of the API causes an error at once', async () => {
    const topic = await topicWith(1)
    const c = consumer()
    expect(() => c.subscribe([topic])).toThrow(/MR_CLIENT_NO_GROUP/)
    await expect(c.poll(1)).rejects.toThrow(/no subscription and no assigned partitions/)
    expect(() => c.seek(tp(topic), 0)).toThrow(/not assigned/)
    c.assign([tp(topic)])
    const poll = c.poll(200)
    await expect(c.poll(1)).rejects.toThrow(/another poll of the consumer/)
    await poll
    await c.close()
    await expect(c.poll(1)).rejects.toMatchObject({ code: 'MR_CLIENT_CLOSED' })
  })

  test('a wrong address causes one clear error before the timeout', async () => {
    const p = createProducer({
      bootstrapServers: ['127.0.0.1:1'],
      maxBlockMs: 100,
      deliveryTimeoutMs: 60_000,
      requestTimeoutMs: 1000,
    })
    closing({ close: () => p.close({ timeoutMs: 0 }) })
    await expect(p.send([{ topic: 't', key: null, value: null }])).rejects.toThrow(/127\.0\.0\.1:1.*ECONNREFUSED/)
  })
}
