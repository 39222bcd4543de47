import { array, int8, int16, int32, message, string } from '../schema/declare.ts'

/** ElectLeaders starts preferred or unclean leader elections (KIP-183, KIP-460). */
export const ElectLeadersRequest = message({
  name: 'ElectLeadersRequest',
  type: 'request',
  apiKey: 43,
  versions: '0-2',
  flexible: '2+',
  fields: {
    electionType: int8('1+'),
    topicPartitions: array(
      '0+',
      {
        topic: string('0+'),
        partitions: array('0+', 'int32'),
      },
      { nullable: '0+' },
    ),
    timeoutMs: int32('0+', { default: 60000 }),
  },
})

export const ElectLeadersResponse = message({
  name: 'ElectLeadersResponse',
  type: 'response',
  apiKey: 43,
  versions: '0-2',
  flexible: '2+',
  fields: {
    throttleTimeMs: int32('0+'),
    errorCode: int16('1+'),
    replicaElectionResults: array('0+', {
      topic: string('0+'),
      partitionResult: array('0+', {
        partitionId: int32('0+'),
        errorCode: int16('0+'),
        errorMessage: string('0+', { nullable: '0+' }),
      }),
    }),
  },
})
