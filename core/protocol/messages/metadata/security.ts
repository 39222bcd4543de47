import { array, bytes, int8, int32, int64, message, string, uuid } from '../../schema/declare.ts'

/** KRaft metadata records about ACLs, SCRAM credentials and delegation tokens. */
export const AccessControlEntryRecord = message({
  name: 'AccessControlEntryRecord',
  type: 'data',
  apiKey: 18,
  versions: '0',
  flexible: '0+',
  fields: {
    id: uuid('0+'),
    resourceType: int8('0+'),
    resourceName: string('0+'),
    patternType: int8('0+'),
    principal: string('0+'),
    host: string('0+'),
    operation: int8('0+'),
    permissionType: int8('0+'),
  },
})

export const RemoveAccessControlEntryRecord = message({
  name: 'RemoveAccessControlEntryRecord',
  type: 'data',
  apiKey: 19,
  versions: '0',
  flexible: '0+',
  fields: {
    id: uuid('0+'),
  },
})

export const UserScramCredentialRecord = message({
  name: 'UserScramCredentialRecord',
  type: 'data',
  apiKey: 11,
  versions: '0',
  flexible: '0+',
  fields: {
    name: string('0+'),
    mechanism: int8('0+'),
    salt: bytes('0+'),
    storedKey: bytes('0+'),
    serverKey: bytes('0+'),
    iterations: int32('0+'),
  },
})

export const RemoveUserScramCredentialRecord = message({
  name: 'RemoveUserScramCredentialRecord',
  type: 'data',
  apiKey: 22,
  versions: '0',
  flexible: '0+',
  fields: {
    name: string('0+'),
    mechanism: int8('0+'),
  },
})

export const DelegationTokenRecord = message({
  name: 'DelegationTokenRecord',
  type: 'data',
  apiKey: 10,
  versions: '0',
  flexible: '0+',
  fields: {
    owner: string('0+'),
    requester: string('0+'),
    renewers: array('0+', 'string'),
    issueTimestamp: int64('0+'),
    maxTimestamp: int64('0+'),
    expirationTimestamp: int64('0+'),
    tokenId: string('0+'),
  },
})

export const RemoveDelegationTokenRecord = message({
  name: 'RemoveDelegationTokenRecord',
  type: 'data',
  apiKey: 26,
  versions: '0',
  flexible: '0+',
  fields: {
    tokenId: string('0+'),
  },
})
