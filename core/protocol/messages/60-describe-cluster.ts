import { array, bool, int8, int16, int32, message, string } from '../schema/declare.ts'

/**
 * DescribeCluster returns brokers or controllers, and the cluster id (KIP-700, KIP-919, KIP-1073).
 */
export const DescribeClusterRequest = message({
  name: 'DescribeClusterRequest',
  type: 'request',
  apiKey: 60,
  versions: '0-2',
  flexible: '0+',
  fields: {
    includeClusterAuthorizedOperations: bool('0+'),
    endpointType: int8('1+', { default: 1 }),
    includeFencedBrokers: bool('2+'),
  },
})

export const DescribeClusterResponse = message({
  name: 'DescribeClusterResponse',
  type: 'response',
  apiKey: 60,
  versions: '0-2',
  flexible: '0+',
  fields: {
    throttleTimeMs: int32('0+'),
    errorCode: int16('0+'),
    errorMessage: string('0+', { default: null, nullable: '0+' }),
    endpointType: int8('1+', { default: 1 }),
    clusterId: string('0+'),
    controllerId: int32('0+', { default: -1 }),
    brokers: array('0+', {
      brokerId: int32('0+'),
      host: string('0+'),
      port: int32('0+'),
      rack: string('0+', { default: null, nullable: '0+' }),
      isFenced: bool('2+'),
    }),
    clusterAuthorizedOperations: int32('0+', { default: -2147483648 }),
  },
})
