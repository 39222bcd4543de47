import { bool, int16, int32, int64, message, string } from '../schema/declare.ts'

/**
 * EndTxn commits or aborts a transaction (KIP-98). Since version 5, the response contains the next
 * producer id and epoch (KIP-890).
 */
export const EndTxnRequest = message({
  name: 'EndTxnRequest',
  type: 'request',
  apiKey: 26,
  versions: '0-5',
  flexible: '3+',
  fields: {
    transactionalId: string('0+'),
    producerId: int64('0+'),
    producerEpoch: int16('0+'),
    committed: bool('0+'),
  },
})

export const EndTxnResponse = message({
  name: 'EndTxnResponse',
  type: 'response',
  apiKey: 26,
  versions: '0-5',
  flexible: '3+',
  fields: {
    throttleTimeMs: int32('0+'),
    errorCode: int16('0+'),
    producerId: int64('5+', { default: -1, ignorable: true }),
    producerEpoch: int16('5+', { default: -1, ignorable: true }),
  },
})
