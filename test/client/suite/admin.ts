/** Tests of the admin client. */
import { expect, test } from 'vitest'
import { pollUntil, type SuiteTools, tp } from './tools.ts'

export function adminSuite(tools: SuiteTools): void {
  const { topicName, consumer, admin, topicWith } = tools

  test('the admin client creates, describes, lists and deletes topics', async () => {
    const a = admin()
    const topic = topicName('admin')
    await a.createTopics([{ name: topic, partitions: 2, configs: { 'cleanup.policy': 'compact' } }])
    await expect(a.createTopics([{ name: topic }])).rejects.toMatchObject({ kafkaCode: 36 })
    await a.createPartitions({ [topic]: 3 })
    // Brokers apply the change a moment after the controller.
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
}
