import { array, int8, int16, int32, message, string } from '../schema/declare.ts'

/**
 * FindCoordinator returns the broker that coordinates a group or a transactional id. Since version
 * 4, a request can contain several keys (KIP-699).
 */
export const FindCoordinatorRequest = message({
  name: 'FindCoordinatorRequest',
  type: 'request',
  apiKey: 10,
  versions: '0-6',
  flexible: '3+',
  fields: {
    key: string('0-3'),
    keyType: int8('1+'),
    coordinatorKeys: array('4+', 'string'),
  },
})

export const FindCoordinatorResponse = message({
  name: 'FindCoordinatorResponse',
  type: 'response',
  apiKey: 10,
  versions: '0-6',
  flexible: '3+',
  fields: {
    throttleTimeMs: int32('1+', { ignorable: true }),
    errorCode: int16('0-3'),
    errorMessage: string('1-3', { nullable: '1-3', ignorable: true }),
    nodeId: int32('0-3'),
    host: string('0-3'),
    port: int32('0-3'),
    coordinators: array('4+', {
      key: string('4+'),
      nodeId: int32('4+'),
      host: string('4+'),
      port: int32('4+'),
      errorCode: int16('4+'),
      errorMessage: string('4+', { nullable: '4+', ignorable: true }),
    }),
  },
})
