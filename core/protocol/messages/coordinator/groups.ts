import { array, bytes, int32, int64, message, string } from '../../schema/declare.ts'

/** The records of `__consumer_offsets` that contain the state of classic groups. */
export const GroupMetadataKey = message({
  name: 'GroupMetadataKey',
  type: 'data',
  apiKey: 2,
  versions: '0',
  flexible: 'none',
  fields: {
    group: string('0'),
  },
})

const memberMetadata = {
  memberId: string('0+'),
  groupInstanceId: string('3+', { default: null, nullable: '3+', ignorable: true }),
  clientId: string('0+'),
  clientHost: string('0+'),
  rebalanceTimeout: int32('1+', { default: -1, ignorable: true }),
  sessionTimeout: int32('0+'),
  subscription: bytes('0+'),
  assignment: bytes('0+'),
}

export const GroupMetadataValue = message({
  name: 'GroupMetadataValue',
  type: 'data',
  apiKey: 2,
  versions: '0-4',
  flexible: '4+',
  fields: {
    protocolType: string('0+'),
    generation: int32('0+'),
    protocol: string('0+', { nullable: '0+' }),
    leader: string('0+', { nullable: '0+' }),
    currentStateTimestamp: int64('2+', { default: -1, ignorable: true }),
    members: array('0+', memberMetadata),
  },
})
