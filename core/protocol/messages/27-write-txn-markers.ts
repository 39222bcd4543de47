import { array, bool, int8, int16, int32, int64, message, string } from '../schema/declare.ts'

/**
 * WriteTxnMarkers is sent by the transaction coordinator. It requests that brokers write
 * transaction markers (KIP-98).
 */
export const WriteTxnMarkersRequest = message({
  name: 'WriteTxnMarkersRequest',
  type: 'request',
  apiKey: 27,
  versions: '1-2',
  flexible: '1+',
  fields: {
    markers: array('0+', {
      producerId: int64('0+'),
      producerEpoch: int16('0+'),
      transactionResult: bool('0+'),
      topics: array('0+', {
        name: string('0+'),
        partitionIndexes: array('0+', 'int32'),
      }),
      coordinatorEpoch: int32('0+'),
      transactionVersion: int8('2+', { ignorable: true }),
    }),
  },
})

export const WriteTxnMarkersResponse = message({
  name: 'WriteTxnMarkersResponse',
  type: 'response',
  apiKey: 27,
  versions: '1-2',
  flexible: '1+',
  fields: {
    markers: array('0+', {
      producerId: int64('0+'),
      topics: array('0+', {
        name: string('0+'),
        partitions: array('0+', {
          partitionIndex: int32('0+'),
          errorCode: int16('0+'),
        }),
      }),
    }),
  },
})
