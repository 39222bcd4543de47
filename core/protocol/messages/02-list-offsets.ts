import { array, int8, int16, int32, int64, message, string } from '../schema/declare.ts'

/**
 * ListOffsets returns the offset for a timestamp, or at the start or end of a partition (KIP-79).
 * Versions 8 and later also return offsets of tiered storage (KIP-405, KIP-1005).
 */
export const ListOffsetsRequest = message({
  name: 'ListOffsetsRequest',
  type: 'request',
  apiKey: 2,
  versions: '1-11',
  flexible: '6+',
  fields: {
    replicaId: int32('0+'),
    isolationLevel: int8('2+'),
    topics: array('0+', {
      name: string('0+'),
      partitions: array('0+', {
        partitionIndex: int32('0+'),
        currentLeaderEpoch: int32('4+', { default: -1, ignorable: true }),
        timestamp: int64('0+'),
      }),
    }),
    timeoutMs: int32('10+', { ignorable: true }),
  },
})

export const ListOffsetsResponse = message({
  name: 'ListOffsetsResponse',
  type: 'response',
  apiKey: 2,
  versions: '1-11',
  flexible: '6+',
  fields: {
    throttleTimeMs: int32('2+', { ignorable: true }),
    topics: array('0+', {
      name: string('0+'),
      partitions: array('0+', {
        partitionIndex: int32('0+'),
        errorCode: int16('0+'),
        timestamp: int64('1+', { default: -1 }),
        offset: int64('1+', { default: -1 }),
        leaderEpoch: int32('4+', { default: -1 }),
      }),
    }),
  },
})
