import { array, int16, int32, message, string } from '../schema/declare.ts'

/** DeleteGroups deletes empty groups and their offsets (KIP-229). */
export const DeleteGroupsRequest = message({
  name: 'DeleteGroupsRequest',
  type: 'request',
  apiKey: 42,
  versions: '0-2',
  flexible: '2+',
  fields: {
    groupsNames: array('0+', 'string'),
  },
})

export const DeleteGroupsResponse = message({
  name: 'DeleteGroupsResponse',
  type: 'response',
  apiKey: 42,
  versions: '0-2',
  flexible: '2+',
  fields: {
    throttleTimeMs: int32('0+'),
    results: array('0+', {
      groupId: string('0+'),
      errorCode: int16('0+'),
    }),
  },
})
