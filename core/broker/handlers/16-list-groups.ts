import {
  ApiKey,
  type ListGroupsRequest,
  type ListGroupsResponse,
  type Message,
  type MessageInput,
} from '../../protocol/index.ts'
import type { Handler } from './handler.ts'

/**
 * Handles ListGroups requests. Filters groups by state (since v4) and by type (since v5), ignoring
 * case. Without filters, returns all groups.
 */
export const listGroupsHandler: Handler<Message<typeof ListGroupsRequest>, MessageInput<typeof ListGroupsResponse>> = {
  key: ApiKey.ListGroups,
  handle(request, ctx) {
    const found = ctx.broker.coordinators.groups.list()
    if (typeof found === 'number') return { errorCode: found }
    const states = new Set(request.statesFilter.map(s => s.toLowerCase()))
    const types = new Set(request.typesFilter.map(t => t.toLowerCase()))
    const groups = found.filter(
      g =>
        (states.size === 0 || states.has(g.groupState.toLowerCase())) &&
        (types.size === 0 || types.has(g.groupType.toLowerCase())),
    )
    return { groups: groups.map(g => ({ ...g, groupType: 'classic' })) }
  },
  onError: errorCode => ({ errorCode }),
}
