import { expect, test } from 'vitest'
import { MetadataResponse } from '../../protocol/messages/03-metadata.ts'
import { decode, encodeToBuffer } from '../../protocol/schema/codec.ts'
import type { MessageInput } from '../../protocol/schema/declare.ts'
import { Metadata } from './metadata.ts'

/** Returns a decoded Metadata response. */
function response(input: MessageInput<typeof MetadataResponse>) {
  return decode(MetadataResponse, 12, encodeToBuffer(MetadataResponse, 12, input))
}

const ID = 'AAAAAAAAAAAAAAAAAAAAAQ'
const brokers = [
  { nodeId: 1, host: 'a', port: 1 },
  { nodeId: 2, host: 'b', port: 2 },
]
const topic = (leaderEpoch: number, leaderId: number, topicId = ID) => ({
  name: 't',
  topicId,
  partitions: [{ partitionIndex: 0, leaderId, leaderEpoch, replicaNodes: [1, 2], isrNodes: [1] }],
})

test('topics are found by name and by id, and brokers by id', () => {
  const m = new Metadata()
  m.update(response({ brokers, clusterId: 'c', controllerId: 2, topics: [topic(5, 1)] }), true)
  expect([m.clusterId, m.controllerId, m.version]).toEqual(['c', 2, 1])
  expect(m.partition('t', 0)).toEqual({ partition: 0, leader: 1, leaderEpoch: 5, replicas: [1, 2], isr: [1] })
  expect(m.partition('t', 1)).toBeNull()
  expect(m.nameOf(ID)).toBe('t')
  expect(m.brokers.get(2)).toEqual({ id: 2, host: 'b', port: 2, rack: null })
})

test('a leader with an older epoch does not replace a newer one, unless the topic was recreated', () => {
  const m = new Metadata()
  m.update(response({ brokers, topics: [topic(5, 1)] }), true)
  m.update(response({ brokers, topics: [topic(4, 2)] }), true)
  expect(m.partition('t', 0)!.leader).toBe(1)
  m.update(response({ brokers, topics: [topic(0, 2, 'AAAAAAAAAAAAAAAAAAAAAg')] }), true)
  expect(m.partition('t', 0)!.leader).toBe(2)
  expect(m.nameOf(ID)).toBeNull()
})

test('a new leader in a Produce or Fetch response is used if its epoch is newer and its broker is known', () => {
  const m = new Metadata()
  m.update(response({ brokers, topics: [topic(5, 1)] }), true)
  expect(m.updateLeader('t', 0, 2, 5)).toBe(false)
  expect(m.updateLeader('t', 0, 9, 6)).toBe(false)
  expect(m.updateLeader('t', 0, 2, 6)).toBe(true)
  expect(m.partition('t', 0)).toMatchObject({ leader: 2, leaderEpoch: 6 })
})

test('a topic with an error is not returned, and a complete response removes the topics that it does not contain', () => {
  const m = new Metadata()
  m.update(response({ brokers, topics: [topic(5, 1), { name: 'bad', errorCode: 17 }] }), true)
  expect(m.topic('bad')).toBeNull()
  expect(m.topics.get('bad')!.errorCode).toBe(17)
  m.update(response({ brokers, topics: [] }), false)
  expect(m.topic('t')).not.toBeNull()
  m.update(response({ brokers, topics: [] }), true)
  expect(m.topic('t')).toBeNull()
})
