import { ApiKey } from '../../protocol/api-keys.ts'
import type { AlterConfigsRequest, AlterConfigsResponse } from '../../protocol/messages/33-alter-configs.ts'
import type { Message, MessageInput } from '../../protocol/schema/declare.ts'
import type { Handler } from './handler.ts'

/**
 * Handles AlterConfigs requests, which belong to the older API. Keys that a request omits revert to
 * their defaults.
 */
export const alterConfigsHandler: Handler<
  Message<typeof AlterConfigsRequest>,
  MessageInput<typeof AlterConfigsResponse>
> = {
  key: ApiKey.AlterConfigs,
  async handle({ resources, validateOnly }, ctx) {
    const changes = resources.map(r => ({
      resourceType: r.resourceType,
      resourceName: r.resourceName,
      replaceAll: true,
      ops: r.configs.map(c => ({ name: c.name, op: 0 as const, value: c.value })),
    }))
    const outcomes = await ctx.broker.controller.alterConfigs(changes, { validateOnly })
    return {
      responses: resources.map(({ resourceType, resourceName }, i) => ({
        errorCode: outcomes[i]?.error?.code ?? 0,
        errorMessage: outcomes[i]?.error?.message ?? null,
        resourceType,
        resourceName,
      })),
    }
  },
  onError: (errorCode, { resources }) => ({
    responses: resources.map(({ resourceType, resourceName }) => ({ errorCode, resourceType, resourceName })),
  }),
}
