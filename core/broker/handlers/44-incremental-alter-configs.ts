import { ApiKey } from '../../protocol/api-keys.ts'
import { ErrorCode } from '../../protocol/error-codes.ts'
import type {
  IncrementalAlterConfigsRequest,
  IncrementalAlterConfigsResponse,
} from '../../protocol/messages/44-incremental-alter-configs.ts'
import type { Message, MessageInput } from '../../protocol/schema/declare.ts'
import type { ConfigOp } from '../quorum/controller-api.ts'
import type { Handler } from './handler.ts'

type Request = Message<typeof IncrementalAlterConfigsRequest>
type Resource = Request['resources'][number]

function isOp(op: number): op is ConfigOp['op'] {
  return op >= 0 && op <= 3
}

function opsOf(resource: Resource): ConfigOp[] | null {
  const ops: ConfigOp[] = []
  for (const { name, configOperation, value } of resource.configs) {
    if (!isOp(configOperation)) return null
    ops.push({ name, op: configOperation, value })
  }
  return ops
}

/**
 * Handles IncrementalAlterConfigs requests. Sets or deletes single keys, and adds items to lists or
 * removes them.
 */
export const incrementalAlterConfigsHandler: Handler<Request, MessageInput<typeof IncrementalAlterConfigsResponse>> = {
  key: ApiKey.IncrementalAlterConfigs,
  async handle({ resources, validateOnly }, ctx) {
    const parsed = resources.map(resource => ({ resource, ops: opsOf(resource) }))
    const fine = parsed.flatMap(({ resource, ops }) => (ops ? [{ ...resource, ops }] : []))
    const outcomes = await ctx.broker.controller.alterConfigs(fine, { validateOnly })
    let next = 0
    return {
      responses: parsed.map(({ resource: { resourceType, resourceName }, ops }) => {
        const refusal = ops
          ? outcomes[next++]!.error
          : { code: ErrorCode.INVALID_REQUEST, message: 'Unknown operation type' }
        return { errorCode: refusal?.code ?? 0, errorMessage: refusal?.message ?? null, resourceType, resourceName }
      }),
    }
  },
  onError: (errorCode, { resources }) => ({
    responses: resources.map(({ resourceType, resourceName }) => ({ errorCode, resourceType, resourceName })),
  }),
}
