import { array, int16, int32, message, string } from '../schema/declare.ts'

/**
 * ListGroups returns the groups that a broker coordinates. Version 4 added a filter by state
 * (KIP-518), and version 5 a filter by type (KIP-848).
 */
export const ListGroupsRequest = message({
  name: 'ListGroupsRequest',
  type: 'request',
  apiKey: 16,
  versions: '0-5',
  flexible: '3+',
  fields: {
    statesFilter: array('4+', 'string'),
    typesFilter: array('5+', 'string'),
  },
})

export const ListGroupsResponse = message({
  name: 'ListGroupsResponse',
  type: 'response',
  apiKey: 16,
  versions: '0-5',
  flexible: '3+',
  fields: {
    throttleTimeMs: int32('1+', { ignorable: true }),
    errorCode: int16('0+'),
    groups: array('0+', {
      groupId: string('0+'),
      protocolType: string('0+'),
      groupState: string('4+', { ignorable: true }),
      groupType: string('5+', { ignorable: true }),
    }),
  },
})
