import { array, int16, int32, int64, message, string } from '../schema/declare.ts'

/** DeleteRecords advances the log start offset of partitions (KIP-107). */
export const DeleteRecordsRequest = message({
  name: 'DeleteRecordsRequest',
  type: 'request',
  apiKey: 21,
  versions: '0-2',
  flexible: '2+',
  fields: {
    topics: array('0+', {
      name: string('0+'),
      partitions: array('0+', {
        partitionIndex: int32('0+'),
        offset: int64('0+'),
      }),
    }),
    timeoutMs: int32('0+'),
  },
})

export const DeleteRecordsResponse = message({
  name: 'DeleteRecordsResponse',
  type: 'response',
  apiKey: 21,
  versions: '0-2',
  flexible: '2+',
  fields: {
    throttleTimeMs: int32('0+'),
    topics: array('0+', {
      name: string('0+'),
      partitions: array('0+', {
        partitionIndex: int32('0+'),
        lowWatermark: int64('0+'),
        errorCode: int16('0+'),
      }),
    }),
  },
})
