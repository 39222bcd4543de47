import { int16, int32, message, string } from '../schema/declare.ts'

/** Heartbeat reports to the coordinator of a classic group that a member is alive. */
export const HeartbeatRequest = message({
  name: 'HeartbeatRequest',
  type: 'request',
  apiKey: 12,
  versions: '0-4',
  flexible: '4+',
  fields: {
    groupId: string('0+'),
    generationId: int32('0+'),
    memberId: string('0+'),
    groupInstanceId: string('3+', { default: null, nullable: '3+' }),
  },
})

export const HeartbeatResponse = message({
  name: 'HeartbeatResponse',
  type: 'response',
  apiKey: 12,
  versions: '0-4',
  flexible: '4+',
  fields: {
    throttleTimeMs: int32('1+', { ignorable: true }),
    errorCode: int16('0+'),
  },
})
