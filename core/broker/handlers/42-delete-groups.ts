import {
  ApiKey,
  type DeleteGroupsRequest,
  type DeleteGroupsResponse,
  type Message,
  type MessageInput,
} from '../../protocol/index.ts'
import type { Handler } from './handler.ts'

type Response = MessageInput<typeof DeleteGroupsResponse>

export const deleteGroupsHandler: Handler<Message<typeof DeleteGroupsRequest>, Response> = {
  key: ApiKey.DeleteGroups,
  async handle(request, ctx) {
    const { groups } = ctx.broker.coordinators
    const names = [...new Set(request.groupsNames)]
    const codes = await Promise.all(names.map(groupId => groups.deleteGroup(groupId)))
    return { results: names.map((groupId, i) => ({ groupId, errorCode: codes[i]! })) }
  },
  onError: (errorCode, request) => ({ results: request.groupsNames.map(groupId => ({ groupId, errorCode })) }),
}
