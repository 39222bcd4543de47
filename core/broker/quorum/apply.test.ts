import fc from 'fast-check'
import { expect, test } from 'vitest'
import { applyRecords } from './apply.ts'
import { configKey, EMPTY_IMAGE, type MetadataImage, ResourceType, topicConfigsOf } from './image.ts'
import { randomUuid } from './meta-properties.ts'
import { type MetadataRecord, record } from './records.ts'
import { Replay } from './replay.ts'

const ID = 'SRUODZFdSQqGegZn0QSnKA'
const topic = (name: string, topicId: string) => record('Topic', { name, topicId })
const partition = (topicId: string, partitionId: number) =>
  record('Partition', { topicId, partitionId, replicas: [1], isr: [1], leader: 1, leaderEpoch: 0, partitionEpoch: 0 })
const config = (name: string, key: string, value: string | null) =>
  record('Config', { resourceType: ResourceType.TOPIC, resourceName: name, name: key, value })

function apply(image: MetadataImage, ...records: MetadataRecord[]): MetadataImage {
  return applyRecords(image, records, image.offset + records.length, 1)
}

test('a new topic is in the image with its partitions and configs, and a removed topic is not', () => {
  const made = apply(EMPTY_IMAGE, topic('a', ID), partition(ID, 0), partition(ID, 1), config('a', 'retention.ms', '5'))
  expect(made.topicsByName.get('a')?.partitions.map(p => p.partition)).toEqual([0, 1])
  expect(made.topicsById.get(ID)).toBe(made.topicsByName.get('a'))
  expect([...topicConfigsOf(made, 'a')]).toEqual([['retention.ms', '5']])
  const removed = apply(made, record('RemoveTopic', { topicId: ID }))
  expect(removed.topicsByName.size + removed.topicsById.size + removed.configs.size).toBe(0)
  expect(made.topicsByName.size).toBe(1)
})

test('an image shares the parts that a batch does not change with the previous image', () => {
  const before = apply(EMPTY_IMAGE, topic('a', ID), partition(ID, 0))
  const after = apply(before, record('ProducerIds', { brokerId: 1, nextProducerId: 1000 }))
  expect(after.nextProducerId).toBe(1000)
  expect(after.topicsByName).toBe(before.topicsByName)
  expect(after.configs).toBe(before.configs)
})

test('setting a config to null removes it, and a resource without configs is not in the image', () => {
  const one = apply(EMPTY_IMAGE, topic('a', ID), config('a', 'x', '1'), config('a', 'y', '2'))
  const two = apply(one, config('a', 'x', null))
  expect([...topicConfigsOf(two, 'a')]).toEqual([['y', '2']])
  expect(apply(two, config('a', 'y', null)).configs.has(configKey(ResourceType.TOPIC, 'a'))).toBe(false)
})

test('a change of the leader increases both epochs, and any other change increases only the partition epoch', () => {
  const made = apply(EMPTY_IMAGE, topic('a', ID), partition(ID, 0))
  const led = apply(made, record('PartitionChange', { topicId: ID, partitionId: 0, leader: -1 }))
  expect(led.topicsById.get(ID)?.partitions[0]).toMatchObject({ leader: -1, leaderEpoch: 1, partitionEpoch: 1 })
  const shrunk = apply(led, record('PartitionChange', { topicId: ID, partitionId: 0, isr: [] }))
  expect(shrunk.topicsById.get(ID)?.partitions[0]).toMatchObject({ isr: [], leaderEpoch: 1, partitionEpoch: 2 })
})

test('a record that contradicts earlier records is rejected', () => {
  expect(() => apply(EMPTY_IMAGE, partition(ID, 0))).toThrow(/does not exist/)
  expect(() => apply(EMPTY_IMAGE, topic('a', ID), partition(ID, 1))).toThrow(/an earlier partition is missing/)
  expect(() => apply(EMPTY_IMAGE, record('RemoveTopic', { topicId: ID }))).toThrow(/does not exist/)
  expect(() => apply(EMPTY_IMAGE, record('FenceBroker', { id: 3 }))).toThrow(/not registered/)
})

test('a broker is registered, fenced, unfenced and unregistered', () => {
  const endPoints = [{ name: 'PLAINTEXT', host: 'h', port: 9092, securityProtocol: 0 }]
  const registered = apply(
    EMPTY_IMAGE,
    record('RegisterBroker', { brokerId: 1, brokerEpoch: 7, endPoints, fenced: true }),
  )
  expect(registered.brokers.get(1)).toMatchObject({ epoch: 7, fenced: true, endpoints: endPoints })
  const unfenced = apply(registered, record('BrokerRegistrationChange', { brokerId: 1, fenced: -1 }))
  expect(unfenced.brokers.get(1)?.fenced).toBe(false)
  expect(apply(unfenced, record('FenceBroker', { id: 1 })).brokers.get(1)?.fenced).toBe(true)
  expect(apply(unfenced, record('UnregisterBroker', { brokerId: 1 })).brokers.size).toBe(0)
})

/**
 * Generates random valid histories, in which topics are created, extended, configured and removed.
 */
const history = fc
  .array(fc.record({ what: fc.nat(3), which: fc.nat(4), value: fc.nat(9) }), { maxLength: 60 })
  .map(steps => {
    const records: MetadataRecord[] = []
    const live = new Map<number, { id: string; partitions: number }>()
    for (const { what, which, value } of steps) {
      const there = live.get(which)
      if (!there) {
        const id = randomUuid()
        live.set(which, { id, partitions: 1 })
        records.push(topic(`t${which}`, id), partition(id, 0))
      } else if (what === 0) {
        live.delete(which)
        records.push(record('RemoveTopic', { topicId: there.id }))
      } else if (what === 1) records.push(partition(there.id, there.partitions++))
      else records.push(config(`t${which}`, `k${value % 3}`, value > 6 ? null : String(value)))
    }
    return records
  })

test('the image does not depend on how records are split into batches', () => {
  fc.assert(
    fc.property(history, fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1 }), (records, sizes) => {
      const whole = applyRecords(EMPTY_IMAGE, records, records.length - 1, 1)
      let cut = EMPTY_IMAGE
      for (let at = 0, i = 0; at < records.length; i++) {
        const batch = records.slice(at, at + sizes[i % sizes.length]!)
        at += batch.length
        cut = applyRecords(cut, batch, at - 1, 1)
      }
      if (records.length === 0) return
      expect(cut).toEqual(whole)
    }),
  )
})

test('the records of a transaction apply together when it ends, and never apply if it is aborted', () => {
  const batch = (lastOffset: number, ...records: MetadataRecord[]) => ({
    lastOffset,
    epoch: 1,
    timestamp: 0,
    size: 0,
    quorum: {},
    records,
  })
  const replay = new Replay(EMPTY_IMAGE)
  replay.add(batch(0, record('BeginTransaction', { name: 'x' }), topic('a', ID)))
  expect(replay.image.topicsByName.size).toBe(0)
  expect(replay.inTransaction).toBe(true)
  replay.add(batch(1, partition(ID, 0), record('EndTransaction', {})))
  expect(replay.image.topicsByName.get('a')?.partitions.length).toBe(1)
  replay.add(batch(2, record('BeginTransaction', {}), record('RemoveTopic', { topicId: ID })))
  replay.add(batch(3, record('AbortTransaction', {})))
  expect(replay.image.topicsByName.size).toBe(1)
  expect(replay.inTransaction).toBe(false)
  expect(replay.image.offset).toBe(3)
})
