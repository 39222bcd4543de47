import { array, bool, bytes, int16, int32, message, string } from '../schema/declare.ts'

/**
 * JoinGroup lets a member of a classic group join a rebalance. Version 5 added static members
 * (KIP-345).
 */
export const JoinGroupRequest = message({
  name: 'JoinGroupRequest',
  type: 'request',
  apiKey: 11,
  versions: '0-9',
  flexible: '6+',
  fields: {
    groupId: string('0+'),
    sessionTimeoutMs: int32('0+'),
    rebalanceTimeoutMs: int32('1+', { default: -1, ignorable: true }),
    memberId: string('0+'),
    groupInstanceId: string('5+', { default: null, nullable: '5+' }),
    protocolType: string('0+'),
    protocols: array('0+', {
      name: string('0+'),
      metadata: bytes('0+'),
    }),
    reason: string('8+', { default: null, nullable: '8+', ignorable: true }),
  },
})

export const JoinGroupResponse = message({
  name: 'JoinGroupResponse',
  type: 'response',
  apiKey: 11,
  versions: '0-9',
  flexible: '6+',
  fields: {
    throttleTimeMs: int32('2+', { ignorable: true }),
    errorCode: int16('0+'),
    generationId: int32('0+', { default: -1 }),
    protocolType: string('7+', { default: null, nullable: '7+', ignorable: true }),
    protocolName: string('0+', { nullable: '7+' }),
    leader: string('0+'),
    skipAssignment: bool('9+'),
    memberId: string('0+'),
    members: array('0+', {
      memberId: string('0+'),
      groupInstanceId: string('5+', { default: null, nullable: '5+', ignorable: true }),
      metadata: bytes('0+'),
    }),
  },
})
