import { array, int8, int16, int32, int64, message, string } from '../../schema/declare.ts'

/** The records of `__transaction_state` (KIP-98, KIP-890). */
export const TransactionLogKey = message({
  name: 'TransactionLogKey',
  type: 'data',
  apiKey: 0,
  versions: '0',
  flexible: 'none',
  fields: {
    transactionalId: string('0'),
  },
})

export const TransactionLogValue = message({
  name: 'TransactionLogValue',
  type: 'data',
  apiKey: 0,
  versions: '0-1',
  flexible: '1+',
  fields: {
    producerId: int64('0+'),
    previousProducerId: int64('1+', { default: -1, tag: 0, tagged: '1+' }),
    nextProducerId: int64('1+', { default: -1, tag: 1, tagged: '1+' }),
    producerEpoch: int16('0+'),
    nextProducerEpoch: int16('1+', { default: -1, tag: 3, tagged: '1+' }),
    transactionTimeoutMs: int32('0+'),
    transactionStatus: int8('0+'),
    transactionPartitions: array(
      '0+',
      {
        topic: string('0+'),
        partitionIds: array('0+', 'int32'),
      },
      { nullable: '0+' },
    ),
    transactionLastUpdateTimestampMs: int64('0+'),
    transactionStartTimestampMs: int64('0+'),
    clientTransactionVersion: int16('1+', { tag: 2, tagged: '1+' }),
  },
})
