import { array, bytes, int16, int32, message, string } from '../schema/declare.ts'

/**
 * SyncGroup distributes the assignments of a classic group. The leader sends the assignments of all
 * members, and every member receives its own.
 */
export const SyncGroupRequest = message({
  name: 'SyncGroupRequest',
  type: 'request',
  apiKey: 14,
  versions: '0-5',
  flexible: '4+',
  fields: {
    groupId: string('0+'),
    generationId: int32('0+'),
    memberId: string('0+'),
    groupInstanceId: string('3+', { default: null, nullable: '3+' }),
    protocolType: string('5+', { default: null, nullable: '5+', ignorable: true }),
    protocolName: string('5+', { default: null, nullable: '5+', ignorable: true }),
    assignments: array('0+', {
      memberId: string('0+'),
      assignment: bytes('0+'),
    }),
  },
})

export const SyncGroupResponse = message({
  name: 'SyncGroupResponse',
  type: 'response',
  apiKey: 14,
  versions: '0-5',
  flexible: '4+',
  fields: {
    throttleTimeMs: int32('1+', { ignorable: true }),
    errorCode: int16('0+'),
    protocolType: string('5+', { default: null, nullable: '5+', ignorable: true }),
    protocolName: string('5+', { default: null, nullable: '5+', ignorable: true }),
    assignment: bytes('0+'),
  },
})
