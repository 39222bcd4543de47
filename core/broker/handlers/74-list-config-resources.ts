import { ApiKey } from '../../protocol/api-keys.ts'
import { ErrorCode } from '../../protocol/error-codes.ts'
import type {
  ListConfigResourcesRequest,
  ListConfigResourcesResponse,
} from '../../protocol/messages/74-list-config-resources.ts'
import type { Message, MessageInput } from '../../protocol/schema/declare.ts'
import { type MetadataImage, ResourceType } from '../quorum/image.ts'
import type { Handler } from './handler.ts'

const LISTED: ReadonlySet<number> = new Set([
  ResourceType.TOPIC,
  ResourceType.BROKER,
  ResourceType.BROKER_LOGGER,
  ResourceType.CLIENT_METRICS,
  ResourceType.GROUP,
])

function namesOf(type: number, image: MetadataImage): string[] {
  if (type === ResourceType.TOPIC) return [...image.topicsByName.keys()]
  if (type === ResourceType.BROKER || type === ResourceType.BROKER_LOGGER) return [...image.brokers.keys()].map(String)
  const prefix = `${type}:`
  return [...image.configs.keys()].filter(k => k.startsWith(prefix)).map(k => k.slice(prefix.length))
}

/**
 * Handles ListConfigResources requests. Version 0 returns only client metrics resources (KIP-1142).
 */
export const listConfigResourcesHandler: Handler<
  Message<typeof ListConfigResourcesRequest>,
  MessageInput<typeof ListConfigResourcesResponse>
> = {
  key: ApiKey.ListConfigResources,
  handle({ resourceTypes }, ctx) {
    const image = ctx.broker.image()
    if (resourceTypes.some(t => !LISTED.has(t))) return { errorCode: ErrorCode.UNSUPPORTED_VERSION }
    const all = ctx.apiVersion === 0 ? [ResourceType.CLIENT_METRICS] : [...LISTED]
    const requested = resourceTypes.length > 0 ? new Set(resourceTypes) : all
    return {
      configResources: [...requested].flatMap(resourceType =>
        namesOf(resourceType, image).map(resourceName => ({ resourceName, resourceType })),
      ),
    }
  },
}
