import {
  ApiKey,
  type DescribeGroupsRequest,
  type DescribeGroupsResponse,
  ErrorCode,
  type Message,
  type MessageInput,
} from '../../protocol/index.ts'
import type { Handler } from './handler.ts'

type Response = MessageInput<typeof DescribeGroupsResponse>

/**
 * The operations that every client may perform on a group, because there is no authorizer: READ,
 * DELETE, DESCRIBE, DESCRIBE_CONFIGS, ALTER_CONFIGS.
 */
const GROUP_OPERATIONS = (1 << 3) | (1 << 6) | (1 << 8) | (1 << 10) | (1 << 11)
const NOT_ASKED = -(2 ** 31)

/**
 * Handles DescribeGroups requests. A nonexistent group is described as dead. Since v6, its
 * description also contains the error GROUP_ID_NOT_FOUND (KIP-1043).
 */
export const describeGroupsHandler: Handler<Message<typeof DescribeGroupsRequest>, Response> = {
  key: ApiKey.DescribeGroups,
  handle(request, ctx) {
    const authorizedOperations = request.includeAuthorizedOperations ? GROUP_OPERATIONS : NOT_ASKED
    const groups = [...new Set(request.groups)].map(groupId => {
      const found = ctx.broker.coordinators.groups.describe(groupId)
      if (typeof found !== 'number') return { groupId, ...found, authorizedOperations }
      if (found !== ErrorCode.GROUP_ID_NOT_FOUND) return { groupId, errorCode: found }
      if (ctx.apiVersion < 6) return { groupId, groupState: 'Dead', authorizedOperations }
      const errorMessage = `Group ${groupId} not found.`
      return { groupId, groupState: 'Dead', errorCode: found, errorMessage }
    })
    return { groups }
  },
  onError: (errorCode, request) => ({ groups: request.groups.map(groupId => ({ groupId, errorCode })) }),
}
