import { int16, int32, int64, message, string } from '../schema/declare.ts'

/** AddOffsetsToTxn adds the offsets of a group to a transaction (KIP-98). */
export const AddOffsetsToTxnRequest = message({
  name: 'AddOffsetsToTxnRequest',
  type: 'request',
  apiKey: 25,
  versions: '0-4',
  flexible: '3+',
  fields: {
    transactionalId: string('0+'),
    producerId: int64('0+'),
    producerEpoch: int16('0+'),
    groupId: string('0+'),
  },
})

export const AddOffsetsToTxnResponse = message({
  name: 'AddOffsetsToTxnResponse',
  type: 'response',
  apiKey: 25,
  versions: '0-4',
  flexible: '3+',
  fields: {
    throttleTimeMs: int32('0+'),
    errorCode: int16('0+'),
  },
})
