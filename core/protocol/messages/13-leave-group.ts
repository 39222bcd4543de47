import { array, int16, int32, message, string } from '../schema/declare.ts'

/**
 * LeaveGroup removes members from a classic group. Since version 3, a request can contain several
 * members (KIP-345).
 */
export const LeaveGroupRequest = message({
  name: 'LeaveGroupRequest',
  type: 'request',
  apiKey: 13,
  versions: '0-5',
  flexible: '4+',
  fields: {
    groupId: string('0+'),
    memberId: string('0-2'),
    members: array('3+', {
      memberId: string('3+'),
      groupInstanceId: string('3+', { default: null, nullable: '3+' }),
      reason: string('5+', { default: null, nullable: '5+', ignorable: true }),
    }),
  },
})

export const LeaveGroupResponse = message({
  name: 'LeaveGroupResponse',
  type: 'response',
  apiKey: 13,
  versions: '0-5',
  flexible: '4+',
  fields: {
    throttleTimeMs: int32('1+', { ignorable: true }),
    errorCode: int16('0+'),
    members: array('3+', {
      memberId: string('3+'),
      groupInstanceId: string('3+', { nullable: '3+' }),
      errorCode: int16('3+'),
    }),
  },
})
