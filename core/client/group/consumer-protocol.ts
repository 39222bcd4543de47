import { ConsumerProtocolAssignment } from '../../protocol/messages/consumer/assignment.ts'
import { ConsumerProtocolSubscription } from '../../protocol/messages/consumer/subscription.ts'
import { decodeVersioned, encodeVersioned } from '../../protocol/schema/codec.ts'
import { groupBy } from '../group-by.ts'
import type { TopicPartition } from '../types.ts'
import { compareStrings, type MemberSubscription } from './assignors/assignor.ts'

/** The versions that Java's consumers use. */
const SUBSCRIPTION_VERSION = 3
const ASSIGNMENT_VERSION = 3

/**
 * Encodes a subscription as Java's ConsumerProtocol does, with sorted topics and with owned
 * partitions grouped by topic.
 */
export function encodeSubscription(s: Omit<MemberSubscription, 'groupInstanceId'>): Buffer {
  const topics = [...s.topics].sort()
  const ownedPartitions = groupByTopic(
    [...s.ownedPartitions].sort((a, b) => compareStrings(a.topic, b.topic) || a.partition - b.partition),
  )
  return encodeVersioned(ConsumerProtocolSubscription, SUBSCRIPTION_VERSION, {
    topics,
    userData: s.userData,
    ownedPartitions,
    generationId: s.generationId,
    rackId: s.rackId,
  })
}

export function decodeSubscription(bytes: Buffer, groupInstanceId: string | null): MemberSubscription {
  const { value } = decodeVersioned(ConsumerProtocolSubscription, bytes, { lenient: true })
  return {
    topics: value.topics,
    userData: value.userData,
    ownedPartitions: ungroup(value.ownedPartitions),
    generationId: value.generationId,
    rackId: value.rackId,
    groupInstanceId,
  }
}

export function encodeAssignment(partitions: readonly TopicPartition[]): Buffer {
  return encodeVersioned(ConsumerProtocolAssignment, ASSIGNMENT_VERSION, {
    assignedPartitions: groupByTopic(partitions),
    userData: null,
  })
}

/**
 * Decodes an assignment. An empty buffer contains no partitions. The leader sends an empty buffer
 * if it skips the assignment.
 */
export function decodeAssignment(bytes: Buffer): TopicPartition[] {
  if (bytes.length === 0) return []
  return ungroup(decodeVersioned(ConsumerProtocolAssignment, bytes, { lenient: true }).value.assignedPartitions)
}

function groupByTopic(partitions: readonly TopicPartition[]): { topic: string; partitions: number[] }[] {
  return groupBy(partitions, tp => tp.topic).map(([topic, list]) => ({
    topic,
    partitions: list.map(tp => tp.partition),
  }))
}

function ungroup(groups: readonly { topic: string; partitions: readonly number[] }[]): TopicPartition[] {
  return groups.flatMap(g => g.partitions.map(partition => ({ topic: g.topic, partition })))
}
