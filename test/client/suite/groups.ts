/** Tests of consumer groups: assignments, rebalances, commits, patterns. */
import { expect, test } from 'vitest'
import type { ConsumerRecord, TopicPartition } from '../../../core/client/types.ts'
import { sleep } from '../../../core/common/async/sleep.ts'
import { b, nameOf, pollUntil, read, type SuiteTools, tp } from './tools.ts'

export function groupsSuite(tools: SuiteTools): void {
  const { topicName, producer, consumer, admin, topicWith } = tools

  test('a group resumes from its committed offsets', async () => {
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

  test('offsets are committed automatically at an interval and on close', async () => {
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
    'with the assignor %s, two members share the partitions, and one takes over when the other leaves',
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

  test('with cooperative-sticky only partitions that move are revoked, and the others are read meanwhile', async () => {
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

  test('during rebalances every record is read, and none twice if offsets are committed before the revocation', async () => {
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

  test('a static member returns to its partitions without a rebalance', async () => {
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

  test('a pattern includes topics that are created later', async () => {
    const prefix = topicName('pattern')
    const a = admin()
    await a.createTopics([{ name: `${prefix}-a`, partitions: 1 }])
    const c = consumer({ groupId: topicName('group'), metadataMaxAgeMs: 100, heartbeatIntervalMs: 50 })
    c.subscribe(new RegExp(`^${prefix}-`))
    await pollUntil([c], () => c.assignment().length === 1)
    await a.createTopics([{ name: `${prefix}-b`, partitions: 2 }])
    await pollUntil([c], () => c.assignment().length === 3)
  })

  test('a pattern is matched with all topics, even if the metadata contained only some of them', async () => {
    const prefix = topicName('pattern')
    const other = await topicWith(1)
    await admin().createTopics([{ name: `${prefix}-a`, partitions: 1 }])
    const c = consumer({ groupId: topicName('group') })
    await c.partitionsFor(other)
    c.subscribe(new RegExp(`^${prefix}-`))
    await pollUntil([c], () => c.assignment().length === 1)
  })

  test('a pattern matches internal topics only if the consumer does not exclude them', async () => {
    const excluding = consumer({ groupId: topicName('group') })
    excluding.subscribe(/^__consumer_offsets$/)
    // Joining the group has created the topic.
    await pollUntil([excluding], () => excluding.groupMetadata() !== null)
    const including = consumer({ groupId: topicName('group'), excludeInternalTopics: false })
    including.subscribe(/^__consumer_offsets$/)
    await pollUntil([including], () => including.assignment().length > 0)
    expect(excluding.assignment()).toEqual([])
  })

  test('new partitions of a topic are assigned', async () => {
    const topic = await topicWith(1)
    const c = consumer({ groupId: topicName('group'), metadataMaxAgeMs: 100, heartbeatIntervalMs: 50 })
    c.subscribe([topic])
    await pollUntil([c], () => c.assignment().length === 1)
    await admin().createPartitions({ [topic]: 3 })
    await pollUntil([c], () => c.assignment().length === 3)
  })

  test('a changed subscription changes the assignment, and unsubscribe revokes all partitions', async () => {
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

  test('a member that does not poll for max.poll.interval.ms loses its partitions, learns of the loss from its listener, and joins again', async () => {
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

  test('an error in a listener fails the poll, and the consumer can continue', async () => {
    const topic = await topicWith(1, ['a'])
    const c = consumer({ groupId: topicName('group') })
    let thrown = false
    c.subscribe([topic], {
      onPartitionsAssigned: async () => {
        await sleep(1)
        if (thrown) return
        thrown = true
        throw new Error('not yet')
      },
    })
    await expect(pollUntil([c], () => thrown && c.assignment().length === 0)).rejects.toThrow('not yet')
    expect(await read(c, 1)).toHaveLength(1)
  })

  test('a topic that is created after the subscription is assigned', async () => {
    const topic = topicName('later')
    const c = consumer({ groupId: topicName('group'), allowAutoCreateTopics: false, heartbeatIntervalMs: 50 })
    c.subscribe([topic])
    expect(await c.poll(200)).toEqual([])
    await admin().createTopics([{ name: topic, partitions: 2 }])
    await pollUntil([c], () => c.assignment().length === 2)
  })

  test('a restart of the broker only delays the producer and the consumer', async ({ skip }) => {
    const { restart } = tools.broker()
    if (!restart) skip()
    const topic = await topicWith(2)
    const c = consumer({ groupId: topicName('group'), heartbeatIntervalMs: 100 })
    c.subscribe([topic])
    const p = producer()
    const seen: ConsumerRecord[] = []
    await p.send([{ topic, key: null, value: b('before') }])
    await pollUntil([c], () => seen.length === 1, seen)
    const restarted = restart!()
    const during = p.send([{ topic, key: null, value: b('during') }])
    await restarted
    await during
    await pollUntil([c], () => seen.length >= 2, seen)
    expect(seen.map(r => String(r.value))).toEqual(['before', 'during'])
    await c.commit()
  })
}
