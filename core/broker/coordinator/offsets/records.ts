import {
  decodeCoordinatorKey,
  decodeVersioned,
  encodeCoordinatorKey,
  encodeVersioned,
  GroupMetadataKey,
  GroupMetadataValue,
  OffsetCommitKey,
  OffsetCommitValue,
} from '../../../protocol/index.ts'
import { copyBytes } from '../copy-bytes.ts'
import type { GroupSnapshot } from '../group/types.ts'
import type { CommittedOffset } from './committed-offsets.ts'

/** A record for `__consumer_offsets`. A null value is a tombstone. */
export interface CoordinatorRecord {
  readonly key: Buffer
  readonly value: Buffer | null
}

/**
 * A decoded record of `__consumer_offsets`. `other` is a record of a kind that Millrace does not
 * support, such as those of the newer group protocol.
 */
export type ReadRecord =
  | { kind: 'offset'; group: string; topic: string; partition: number; value: CommittedOffset | null }
  | { kind: 'group'; group: string; value: GroupSnapshot | null }
  | { kind: 'other'; type: number }

/** The version of GroupMetadataValue that Kafka 4.3 writes. */
const GROUP_VALUE_VERSION = 3

export function groupRecord(group: string, snapshot: GroupSnapshot): CoordinatorRecord {
  return {
    key: encodeCoordinatorKey(GroupMetadataKey, { group }),
    value: encodeVersioned(GroupMetadataValue, GROUP_VALUE_VERSION, {
      protocolType: snapshot.protocolType,
      generation: snapshot.generation,
      protocol: snapshot.protocol,
      leader: snapshot.leader,
      currentStateTimestamp: snapshot.currentStateTimestamp,
      members: snapshot.members,
    }),
  }
}

export function groupTombstone(group: string): CoordinatorRecord {
  return { key: encodeCoordinatorKey(GroupMetadataKey, { group }), value: null }
}

/**
 * Encodes a committed offset. As in Kafka 4.3, the record has version 1 if the client has set an
 * expiry time, otherwise version 4.
 */
export function offsetRecord(group: string, topic: string, partition: number, o: CommittedOffset): CoordinatorRecord {
  return {
    key: encodeCoordinatorKey(OffsetCommitKey, { group, topic, partition }),
    value: encodeVersioned(OffsetCommitValue, o.expireTimestamp === null ? 4 : 1, {
      offset: o.offset,
      leaderEpoch: o.leaderEpoch,
      metadata: o.metadata,
      commitTimestamp: o.commitTimestamp,
      expireTimestamp: o.expireTimestamp ?? -1,
      topicId: o.topicId,
    }),
  }
}

export function offsetTombstone(group: string, topic: string, partition: number): CoordinatorRecord {
  return { key: encodeCoordinatorKey(OffsetCommitKey, { group, topic, partition }), value: null }
}

/**
 * Decodes a record. Throws a ProtocolError if the bytes are invalid. Copies the bytes it returns,
 * so the result does not keep the batch's buffer in memory.
 */
export function readRecord(key: Buffer, value: Buffer | null): ReadRecord {
  const k = decodeCoordinatorKey(key)
  if (k.kind === 'other') return k
  if (k.kind === 'group') return { kind: 'group', group: k.key.group, value: value && readGroup(value) }
  const { group, topic, partition } = k.key
  return { kind: 'offset', group, topic, partition, value: value && readOffset(value) }
}

function readOffset(value: Buffer): CommittedOffset {
  const { value: v } = decodeVersioned(OffsetCommitValue, value)
  return {
    offset: v.offset,
    leaderEpoch: v.leaderEpoch,
    metadata: v.metadata,
    commitTimestamp: v.commitTimestamp,
    expireTimestamp: v.expireTimestamp === -1 ? null : v.expireTimestamp,
    topicId: v.topicId,
  }
}

function readGroup(value: Buffer): GroupSnapshot {
  const { value: v } = decodeVersioned(GroupMetadataValue, value)
  const members = v.members.map(m => ({
    ...m,
    subscription: copyBytes(m.subscription),
    assignment: copyBytes(m.assignment),
  }))
  return { ...v, members }
}
