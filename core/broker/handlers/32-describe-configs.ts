import { ApiKey } from '../../protocol/api-keys.ts'
import { ErrorCode, errorMessage } from '../../protocol/error-codes.ts'
import type { DescribeConfigsRequest, DescribeConfigsResponse } from '../../protocol/messages/32-describe-configs.ts'
import type { Message, MessageInput } from '../../protocol/schema/declare.ts'
import { isInt32 } from '../config/values.ts'
import { configKey, ResourceType, topicConfigsOf } from '../quorum/image.ts'
import { topicNameProblem } from '../quorum/topic-names.ts'
import {
  brokerConfigEntries,
  type ConfigEntry,
  defaultBrokerEntries,
  groupConfigEntries,
  topicConfigEntries,
} from './config-entries.ts'
import type { Handler, RequestContext } from './handler.ts'

type Request = Message<typeof DescribeConfigsRequest>
type Response = MessageInput<typeof DescribeConfigsResponse>
type Resource = Request['resources'][number]
type Refused = { readonly code: number; readonly message: string }

const invalid = (message: string): Refused => ({ code: ErrorCode.INVALID_REQUEST, message })

function brokerResource(name: string, ctx: RequestContext): readonly ConfigEntry[] | Refused {
  if (name === '') return defaultBrokerEntries(ctx.broker)
  if (!isInt32(name)) return invalid(`Broker id must be an integer, but it is: ${name}`)
  const { nodeId } = ctx.broker
  if (Number(name) !== nodeId)
    return invalid(`Unexpected broker id, expected ${nodeId} or empty string, but received ${name}`)
  return brokerConfigEntries(ctx.broker)
}

/**
 * Checks a BROKER_LOGGER resource. Returns no entries, because such resources are not supported
 * yet.
 */
function loggerResource(name: string, ctx: RequestContext): readonly ConfigEntry[] | Refused {
  const { nodeId } = ctx.broker
  if (name === '') return invalid('Broker id must not be empty')
  if (!isInt32(name)) return invalid(`Broker id must be an integer, but it is: ${name}`)
  return Number(name) === nodeId ? [] : invalid(`Unexpected broker id, expected ${nodeId} but received ${name}`)
}

function groupResource(name: string, ctx: RequestContext): readonly ConfigEntry[] | Refused {
  if (name === '') return invalid('Group name must not be empty')
  return groupConfigEntries(ctx.broker.image().configs.get(configKey(ResourceType.GROUP, name)) ?? new Map())
}

function entriesOf(resource: Resource, ctx: RequestContext): readonly ConfigEntry[] | Refused {
  const { resourceType, resourceName } = resource
  const image = ctx.broker.image()
  switch (resourceType) {
    case ResourceType.TOPIC: {
      const problem = topicNameProblem(resourceName)
      if (problem !== null) return { code: ErrorCode.INVALID_TOPIC_EXCEPTION, message: problem }
      if (!image.topicsByName.has(resourceName)) return { code: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, message: '' }
      return topicConfigEntries(ctx.broker, topicConfigsOf(image, resourceName))
    }
    case ResourceType.BROKER:
      return brokerResource(resourceName, ctx)
    case ResourceType.GROUP:
      return groupResource(resourceName, ctx)
    case ResourceType.CLIENT_METRICS:
      return resourceName === '' ? invalid('Client metrics subscription name must not be empty') : []
    case ResourceType.BROKER_LOGGER:
      return loggerResource(resourceName, ctx)
    default:
      return invalid(errorMessage(ErrorCode.INVALID_REQUEST))
  }
}

/**
 * Handles DescribeConfigs requests. Returns the settings of topics, groups and this broker, with
 * the source of each value.
 */
export const describeConfigsHandler: Handler<Request, Response> = {
  key: ApiKey.DescribeConfigs,
  handle(request, ctx) {
    // Describe each resource only once, because the description is a thousand times larger than the
    // resource's name in the request.
    const resources = new Map(request.resources.map(r => [configKey(r.resourceType, r.resourceName), r]))
    const results = [...resources.values()].map(resource => {
      const { resourceType, resourceName, configurationKeys } = resource
      const entries = entriesOf(resource, ctx)
      if (!Array.isArray(entries)) {
        const { code, message } = entries as Refused
        return { errorCode: code, errorMessage: message, resourceType, resourceName }
      }
      const requested = configurationKeys?.length ? new Set(configurationKeys) : null
      const configs = (entries as readonly ConfigEntry[])
        .filter(e => !requested || requested.has(e.name))
        .map(e => ({
          name: e.name,
          value: e.value,
          readOnly: e.readOnly,
          configSource: e.source,
          isSensitive: e.isSensitive,
          synonyms: request.includeSynonyms ? e.synonyms : [],
          configType: e.type,
          documentation: request.includeDocumentation ? e.documentation : null,
        }))
      return { errorMessage: '', resourceType, resourceName, configs }
    })
    return { results }
  },
}
