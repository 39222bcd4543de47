import { array, int16, int32, message, string } from '../schema/declare.ts'

/** OffsetDelete deletes committed offsets of a group (KIP-496). */
export const OffsetDeleteRequest = message({
  name: 'OffsetDeleteRequest',
  type: 'request',
  apiKey: 47,
  versions: '0',
  flexible: 'none',
  fields: {
    groupId: string('0+'),
    topics: array('0+', {
      name: string('0+'),
      partitions: array('0+', {
        partitionIndex: int32('0+'),
      }),
    }),
  },
})

export const OffsetDeleteResponse = message({
  name: 'OffsetDeleteResponse',
  type: 'response',
  apiKey: 47,
  versions: '0',
  flexible: 'none',
  fields: {
    errorCode: int16('0+'),
    throttleTimeMs: int32('0+', { ignorable: true }),
    topics: array('0+', {
      name: string('0+'),
      partitions: array('0+', {
        partitionIndex: int32('0+'),
        errorCode: int16('0+'),
      }),
    }),
  },
})
