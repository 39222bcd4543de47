import { array, int16, int32, int64, message, string } from '../schema/declare.ts'

/** TxnOffsetCommit commits offsets as part of a transaction (KIP-98, KIP-447). */
export const TxnOffsetCommitRequest = message({
  name: 'TxnOffsetCommitRequest',
  type: 'request',
  apiKey: 28,
  versions: '0-5',
  flexible: '3+',
  fields: {
    transactionalId: string('0+'),
    groupId: string('0+'),
    producerId: int64('0+'),
    producerEpoch: int16('0+'),
    generationId: int32('3+', { default: -1 }),
    memberId: string('3+'),
    groupInstanceId: string('3+', { default: null, nullable: '3+' }),
    topics: array('0+', {
      name: string('0+'),
      partitions: array('0+', {
        partitionIndex: int32('0+'),
        committedOffset: int64('0+'),
        committedLeaderEpoch: int32('2+', { default: -1, ignorable: true }),
        committedMetadata: string('0+', { nullable: '0+' }),
      }),
    }),
  },
})

export const TxnOffsetCommitResponse = message({
  name: 'TxnOffsetCommitResponse',
  type: 'response',
  apiKey: 28,
  versions: '0-5',
  flexible: '3+',
  fields: {
    throttleTimeMs: int32('0+'),
    topics: array('0+', {
      name: string('0+'),
      partitions: array('0+', {
        partitionIndex: int32('0+'),
        errorCode: int16('0+'),
      }),
    }),
  },
})
