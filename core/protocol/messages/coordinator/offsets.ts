import { int32, int64, message, string, uuid } from '../../schema/declare.ts'

/**
 * The records of `__consumer_offsets` that contain committed offsets. A key consists of an int16
 * type and the key message. A value consists of an int16 version and the value message.
 */
export const OffsetCommitKey = message({
  name: 'OffsetCommitKey',
  type: 'data',
  apiKey: 1,
  versions: '0',
  flexible: 'none',
  fields: {
    group: string('0'),
    topic: string('0'),
    partition: int32('0'),
  },
})

export const OffsetCommitValue = message({
  name: 'OffsetCommitValue',
  type: 'data',
  apiKey: 1,
  versions: '0-4',
  flexible: '4+',
  fields: {
    offset: int64('0+'),
    leaderEpoch: int32('3+', { default: -1, ignorable: true }),
    metadata: string('0+'),
    commitTimestamp: int64('0+'),
    expireTimestamp: int64('1', { default: -1, ignorable: true }),
    topicId: uuid('4+', { tag: 0, tagged: '4+', ignorable: true }),
  },
})

export const LegacyOffsetCommitKey = message({
  name: 'LegacyOffsetCommitKey',
  type: 'data',
  apiKey: 0,
  versions: '0',
  flexible: 'none',
  fields: {
    group: string('0'),
    topic: string('0'),
    partition: int32('0'),
  },
})

export const LegacyOffsetCommitValue = message({
  name: 'LegacyOffsetCommitValue',
  type: 'data',
  apiKey: 0,
  versions: '0',
  flexible: 'none',
  fields: {
    offset: int64('0'),
    metadata: string('0'),
    commitTimestamp: int64('0'),
  },
})
