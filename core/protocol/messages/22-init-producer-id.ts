import { bool, int16, int32, int64, message, string } from '../schema/declare.ts'

/**
 * InitProducerId assigns an id and an epoch to an idempotent or transactional producer (KIP-98,
 * KIP-360).
 */
export const InitProducerIdRequest = message({
  name: 'InitProducerIdRequest',
  type: 'request',
  apiKey: 22,
  versions: '0-6',
  flexible: '2+',
  latestVersionUnstable: true,
  fields: {
    transactionalId: string('0+', { nullable: '0+' }),
    transactionTimeoutMs: int32('0+'),
    producerId: int64('3+', { default: -1 }),
    producerEpoch: int16('3+', { default: -1 }),
    enable2Pc: bool('6+'),
    keepPreparedTxn: bool('6+'),
  },
})

export const InitProducerIdResponse = message({
  name: 'InitProducerIdResponse',
  type: 'response',
  apiKey: 22,
  versions: '0-6',
  flexible: '2+',
  fields: {
    throttleTimeMs: int32('0+', { ignorable: true }),
    errorCode: int16('0+'),
    producerId: int64('0+', { default: -1 }),
    producerEpoch: int16('0+'),
    ongoingTxnProducerId: int64('6+', { default: -1 }),
    ongoingTxnProducerEpoch: int16('6+', { default: -1 }),
  },
})
