import { describe, expect, test } from 'vitest'
import { CompressionType } from '../compression/index.ts'
import { ConsumerProtocolAssignment } from '../messages/consumer/assignment.ts'
import { ConsumerProtocolSubscription } from '../messages/consumer/subscription.ts'
import { GroupMetadataKey, GroupMetadataValue } from '../messages/coordinator/groups.ts'
import { decodeCoordinatorKey, encodeCoordinatorKey } from '../messages/coordinator/keys.ts'
import { OffsetCommitKey, OffsetCommitValue } from '../messages/coordinator/offsets.ts'
import { TransactionLogValue } from '../messages/coordinator/transactions.ts'
import { decodeMetadataRecord, encodeMetadataRecord, metadataRecords } from '../messages/metadata/metadata-record.ts'
import { LeaderChangeMessage } from '../messages/raft/control-records.ts'
import { decodeKRaftControl, encodeKRaftControl } from '../messages/raft/control-value.ts'
import { decodeVersioned, encodeVersioned } from '../schema/codec.ts'
import { fixture } from '../test-support/fixtures.ts'
import { RecordBatchBuilder } from './batch-builder.ts'
import { validateBatch } from './batch-header.ts'
import { type DecodedBatch, type DecodedRecord, readBatches } from './batch-reader.ts'
import { buildEndTransactionMarker, controlRecordType, readEndTransactionMarker } from './control-records.ts'

/** The codecs of the fixtures, which other programs wrote. See fixtures/README.md. */
const CODECS = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const
const LINES = Array.from({ length: 20 }, (_, i) => [
  `key${i}`,
  `value ${i} of the fixture, with some text that repeats repeats repeats ${i % 7}`,
])

const batchesOf = (name: string): DecodedBatch[] => [...readBatches(fixture(name), { checkCrc: true })]
const recordsOf = (name: string): DecodedRecord[] => batchesOf(name).flatMap(batch => batch.records())

/** Builds a batch from the decoded fields of another batch. */
function rebuild(batch: DecodedBatch): Buffer {
  const builder = new RecordBatchBuilder({
    baseTimestamp: batch.baseTimestamp,
    producerId: batch.producerId,
    epoch: batch.producerEpoch,
    sequence: batch.baseSequence,
    transactional: batch.isTransactional,
    control: batch.isControl,
    baseOffset: batch.baseOffset,
    leaderEpoch: batch.leaderEpoch,
  })
  for (const { key, value, timestamp, headers } of batch.records()) builder.append(key, value, timestamp, headers)
  return builder.build()
}

describe.each(CODECS)('batches compressed with %s', codec => {
  test('are read if they were written by a Java client', () => {
    const batches = batchesOf(`java-${codec}`)
    expect(batches.map(b => b.compression)).toEqual(batches.map(() => CompressionType[codec.toUpperCase() as 'NONE']))
    expect(recordsOf(`java-${codec}`).map(r => [r.key!.toString(), r.value!.toString()])).toEqual(LINES)
  })

  test('are read with their headers if they were written by librdkafka', () => {
    const records = recordsOf(`librdkafka-${codec}`)
    expect(records.map(r => [r.key!.toString(), r.value!.toString()])).toEqual(LINES)
    for (const r of records)
      expect(r.headers).toEqual([
        { key: 'trace', value: Buffer.from('abc') },
        { key: 'empty', value: Buffer.alloc(0) },
      ])
  })
})

test.each([
  'java-none',
  'librdkafka-none',
  'java-transactions',
  'consumer-offsets',
  'transaction-state',
  'cluster-metadata',
])('the batches of the fixture %s are decoded, and encoded to the same bytes', name => {
  const bytes = fixture(name)
  const built = batchesOf(name).map(rebuild)
  expect(Buffer.concat(built).toString('hex')).toBe(bytes.toString('hex'))
  for (let at = 0; at < bytes.length; ) at += validateBatch(bytes, at, bytes.length).size
})

test("a Java producer's transactions are read, and their markers are encoded to the same bytes", () => {
  const batches = batchesOf('java-transactions')
  expect(batches.map(b => [b.isTransactional, b.isControl])).toEqual([
    [true, false],
    [true, true],
    [true, false],
    [true, true],
  ])
  const [first, commit, , abort] = batches
  expect(first!.records()).toMatchObject([
    {
      key: Buffer.from('a'),
      value: Buffer.from('committed'),
      timestamp: 1_700_000_000_000,
      headers: [{ key: 'h', value: null }],
    },
  ])
  for (const [batch, committed] of [
    [commit!, true],
    [abort!, false],
  ] as const) {
    const [record] = batch.records()
    const marker = readEndTransactionMarker(record!)!
    expect(marker.committed).toBe(committed)
    const built = buildEndTransactionMarker(
      marker,
      { id: batch.producerId, epoch: batch.producerEpoch },
      record!.timestamp,
    )
    // Skip the base offset and the leader epoch, which the log sets.
    expect(built.subarray(16)).toEqual(rebuild(batch).subarray(16))
  }
})

test("every record of Kafka's metadata log is decoded, and encoded to the same bytes", () => {
  const kinds = new Set<string>()
  for (const batch of batchesOf('cluster-metadata'))
    for (const record of batch.records()) {
      if (batch.isControl) {
        expect(controlRecordType(record)).toBe('leader-change')
        const value = decodeKRaftControl(LeaderChangeMessage, record.value!)
        expect(value.voters.length).toBe(1)
        expect(encodeKRaftControl(LeaderChangeMessage, value)).toEqual(record.value)
        continue
      }
      const { name, version, value } = decodeMetadataRecord(record.value!)
      kinds.add(name)
      expect(encodeMetadataRecord(metadataRecords[name], version, value)).toEqual(record.value)
    }
  expect([...kinds]).toEqual(
    expect.arrayContaining(['FeatureLevelRecord', 'RegisterBrokerRecord', 'TopicRecord', 'PartitionRecord']),
  )
})

test("every record of a classic group in Kafka's __consumer_offsets is decoded, and encoded to the same bytes", () => {
  const kinds: string[] = []
  for (const { key, value } of recordsOf('consumer-offsets')) {
    const read = decodeCoordinatorKey(key!)
    kinds.push(read.kind)
    if (read.kind === 'offset') {
      expect(read.key).toMatchObject({ group: 'fixture-group', topic: 'j-none', partition: 0 })
      expect(encodeCoordinatorKey(OffsetCommitKey, read.key)).toEqual(key)
      const offset = decodeVersioned(OffsetCommitValue, value!)
      expect(offset.value.offset).toBe(20)
      expect(encodeVersioned(OffsetCommitValue, offset.version, offset.value)).toEqual(value)
    }
    if (read.kind === 'group') {
      expect(encodeCoordinatorKey(GroupMetadataKey, read.key)).toEqual(key)
      const group = decodeVersioned(GroupMetadataValue, value!)
      expect(encodeVersioned(GroupMetadataValue, group.version, group.value)).toEqual(value)
      for (const member of group.value.members) {
        expect(
          decodeVersioned(ConsumerProtocolSubscription, member.subscription, { lenient: true }).value.topics,
        ).toEqual(['j-none'])
        const assignment = decodeVersioned(ConsumerProtocolAssignment, member.assignment, { lenient: true })
        expect(assignment.value.assignedPartitions).toEqual([{ topic: 'j-none', partitions: [0] }])
      }
    }
  }
  expect(kinds).toEqual(expect.arrayContaining(['offset', 'group']))
})

test("every record of Kafka's __transaction_state is decoded, and encoded to the same bytes", () => {
  const records = recordsOf('transaction-state')
  expect(records.length).toBeGreaterThan(4)
  for (const { value } of records) {
    const read = decodeVersioned(TransactionLogValue, value!)
    expect(encodeVersioned(TransactionLogValue, read.version, read.value)).toEqual(value)
  }
})
