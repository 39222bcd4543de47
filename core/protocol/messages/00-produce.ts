import { array, int16, int32, int64, message, records, string, struct, uuid } from '../schema/declare.ts'

/**
 * Produce appends record batches to partitions. Version 10 added the endpoints of new leaders
 * (KIP-951), and version 13 added topic ids (KIP-516).
 */
export const ProduceRequest = message({
  name: 'ProduceRequest',
  type: 'request',
  apiKey: 0,
  versions: '3-13',
  flexible: '9+',
  fields: {
    transactionalId: string('3+', { default: null, nullable: '3+' }),
    acks: int16('0+'),
    timeoutMs: int32('0+'),
    topicData: array('0+', {
      name: string('0-12', { ignorable: true }),
      topicId: uuid('13+', { ignorable: true }),
      partitionData: array('0+', {
        index: int32('0+'),
        records: records('0+', { nullable: '0+' }),
      }),
    }),
  },
})

export const ProduceResponse = message({
  name: 'ProduceResponse',
  type: 'response',
  apiKey: 0,
  versions: '3-13',
  flexible: '9+',
  fields: {
    responses: array('0+', {
      name: string('0-12', { ignorable: true }),
      topicId: uuid('13+', { ignorable: true }),
      partitionResponses: array('0+', {
        index: int32('0+'),
        errorCode: int16('0+'),
        baseOffset: int64('0+'),
        logAppendTimeMs: int64('2+', { default: -1, ignorable: true }),
        logStartOffset: int64('5+', { default: -1, ignorable: true }),
        recordErrors: array(
          '8+',
          {
            batchIndex: int32('8+'),
            batchIndexErrorMessage: string('8+', { default: null, nullable: '8+' }),
          },
          { ignorable: true },
        ),
        errorMessage: string('8+', { default: null, nullable: '8+', ignorable: true }),
        currentLeader: struct(
          '10+',
          {
            leaderId: int32('10+', { default: -1 }),
            leaderEpoch: int32('10+', { default: -1 }),
          },
          { tag: 0, tagged: '10+' },
        ),
      }),
    }),
    throttleTimeMs: int32('1+', { ignorable: true }),
    nodeEndpoints: array(
      '10+',
      {
        nodeId: int32('10+'),
        host: string('10+'),
        port: int32('10+'),
        rack: string('10+', { default: null, nullable: '10+' }),
      },
      { tag: 0, tagged: '10+' },
    ),
  },
})
