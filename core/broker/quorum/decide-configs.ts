import type { ConfigKey } from '../../common/config/define.ts'
import { ErrorCode } from '../../protocol/error-codes.ts'
import { BROKER_CONFIG } from '../config/broker-config.ts'
import { DYNAMIC_BROKER_KEYS } from '../config/dynamic.ts'
import { brokerLayers, topicLayers, topicValues } from '../config/effective.ts'
import { TOPIC_CONFIG, type TopicConfigName } from '../config/topic-config.ts'
import { isInt32 } from '../config/values.ts'
import type { ConfigChange, ConfigOp, Outcome, Refusal } from './controller-api.ts'
import type { Decision, DecisionContext } from './decide-topics.ts'
import { configKey, ResourceType } from './image.ts'
import { type MetadataRecord, record } from './records.ts'
import { checkGroupConfigs, checkMerged, checkTopicConfigs, valueProblem } from './topic-config-check.ts'
import { refuseTopicName } from './topic-names.ts'

const invalid = (message: string): Refusal => ({ code: ErrorCode.INVALID_REQUEST, message })

function checkResource(ctx: DecisionContext, change: ConfigChange): Refusal | null {
  const { resourceType, resourceName } = change
  switch (resourceType) {
    case ResourceType.TOPIC: {
      if (resourceName === '') return invalid('Default topic resources are not allowed.')
      if (ctx.image.topicsByName.has(resourceName)) return null
      const message = `The topic '${resourceName}' does not exist.`
      return refuseTopicName(resourceName) ?? { code: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, message }
    }
    case ResourceType.BROKER: {
      if (resourceName === '') return null
      if (!isInt32(resourceName)) return invalid(`Node id must be an integer, but it is: ${resourceName}`)
      const known = [...ctx.image.brokers.keys()].join(', ')
      if (ctx.image.brokers.has(Number(resourceName))) return null
      return invalid(`Unexpected broker id, expected ${known}, but received ${resourceName}`)
    }
    case ResourceType.GROUP:
      return resourceName === '' ? invalid('Default group resources are not allowed.') : null
    case ResourceType.CLIENT_METRICS:
    case ResourceType.BROKER_LOGGER:
      if (change.replaceAll && resourceType === ResourceType.BROKER_LOGGER)
        return invalid(`Unknown resource type ${resourceType}`)
      return {
        code: ErrorCode.UNSUPPORTED_VERSION,
        message: 'Millrace does not support configs of this resource type yet.',
      }
    default:
      return invalid(`Unknown resource type ${resourceType}`)
  }
}

function checkOps(ops: readonly ConfigOp[]): Refusal | null {
  if (new Set(ops.map(o => o.name)).size !== ops.length) return invalid('Error due to duplicate config keys')
  const nulls = ops.filter(o => o.op !== 1 && o.value === null).map(o => o.name)
  return nulls.length > 0 ? invalid(`Null value not supported for : ${nulls.join(',')}`) : null
}

/** Whether a key cannot be changed through the API. `broker.id` is an alias of `node.id`. */
function isFixed(name: string): boolean {
  return name === 'broker.id' || (keyOf(ResourceType.BROKER, name) !== undefined && !DYNAMIC_BROKER_KEYS.has(name))
}

function keyOf(resourceType: number, name: string): ConfigKey | undefined {
  const def = (resourceType === ResourceType.TOPIC ? TOPIC_CONFIG : BROKER_CONFIG) as Record<string, ConfigKey>
  return Object.hasOwn(def, name) ? def[name] : undefined
}

/**
 * Returns the items to which APPEND adds and from which SUBTRACT removes. These are the items of
 * the resource's own value, or of the default value if the resource has none.
 */
function currentItems(
  ctx: DecisionContext,
  change: ConfigChange,
  own: ReadonlyMap<string, string>,
  name: string,
): string[] {
  const layers =
    change.resourceType === ResourceType.TOPIC
      ? topicLayers(ctx.config, ctx.dynamic, own, name as TopicConfigName)
      : [{ value: own.get(name) ?? null }, ...brokerLayers(ctx.config, { own: new Map(), default: new Map() }, name)]
  const text = layers.find(l => l.value !== null)?.value ?? ''
  return text === '' ? [] : text.split(/\s*,\s*/)
}

/** Returns the configs of a resource after the change, or an error. */
function changed(
  ctx: DecisionContext,
  change: ConfigChange,
  old: ReadonlyMap<string, string>,
): Map<string, string> | Refusal {
  const next = new Map(change.replaceAll ? [] : old)
  for (const { name, op, value } of change.ops) {
    if (op === 0) next.set(name, value ?? '')
    else if (op === 1) next.delete(name)
    else {
      const word = op === 2 ? 'APPEND' : 'SUBTRACT'
      if (keyOf(change.resourceType, name)?.type !== 'LIST')
        return {
          code: ErrorCode.INVALID_CONFIG,
          message: `Can't ${word} to key ${name} because its type is not LIST.`,
        }
      const items = currentItems(ctx, change, old, name)
      const given = new Set(value === '' ? [''] : (value ?? '').split(/\s*,\s*/).filter(i => i !== ''))
      const result = op === 2 ? [...new Set([...items, ...given])] : items.filter(i => !given.has(i))
      next.set(name, result.join(','))
    }
  }
  return next
}

/**
 * Returns an error if the change removes the cluster-wide value of min.insync.replicas or sets a
 * value for one broker. As in Kafka with eligible leader replicas (the default), this key is a
 * cluster-wide setting that always has a value.
 */
function checkMinInsync({ resourceName, ops, replaceAll }: ConfigChange): Refusal | null {
  const op = ops.find(o => o.name === 'min.insync.replicas')
  const isAllowed = resourceName === '' ? (op ? op.op !== 1 : !replaceAll) : !op
  if (isAllowed) return null
  const what = resourceName === '' ? 'Cluster-level' : 'Broker-level'
  const verb = resourceName === '' ? 'removed' : 'altered'
  const message = `${what} min.insync.replicas cannot be ${verb} while ELR is enabled.`
  return { code: ErrorCode.INVALID_CONFIG, message }
}

function checkBroker(next: ReadonlyMap<string, string>, ops: readonly ConfigOp[]): Refusal | null {
  // As in Kafka, undeclared keys may be set, because they may belong to a plugin.
  const fixed = ops.map(o => o.name).filter(isFixed)
  if (fixed.length > 0) return invalid(`Cannot update these configs dynamically: [${fixed.join(', ')}]`)
  for (const { name } of ops) {
    const key = keyOf(ResourceType.BROKER, name)
    const text = next.get(name)
    const wrong = key && text !== undefined ? valueProblem(name, key, text) : null
    if (wrong !== null) return invalid(wrong)
  }
  return null
}

function check(ctx: DecisionContext, change: ConfigChange, next: ReadonlyMap<string, string>): Refusal | null {
  if (change.resourceType === ResourceType.BROKER) return checkMinInsync(change) ?? checkBroker(next, change.ops)
  if (change.resourceType === ResourceType.GROUP) return checkGroupConfigs(next)
  if (change.resourceType !== ResourceType.TOPIC) return null
  const wrong = checkTopicConfigs(next)
  return wrong ?? checkMerged(topicValues(ctx.config, ctx.dynamic, next))
}

function decideOne(ctx: DecisionContext, change: ConfigChange): MetadataRecord[] | Refusal {
  const refused = checkOps(change.ops) ?? checkResource(ctx, change)
  if (refused) return refused
  const { resourceType, resourceName } = change
  const old = ctx.image.configs.get(configKey(resourceType, resourceName)) ?? new Map<string, string>()
  const next = changed(ctx, change, old)
  if ('code' in next) return next
  const wrong = check(ctx, change, next)
  if (wrong) return wrong
  const records: MetadataRecord[] = []
  for (const [name, value] of next) {
    if (old.get(name) !== value) records.push(record('Config', { resourceType, resourceName, name, value }))
  }
  for (const name of old.keys()) {
    if (!next.has(name)) records.push(record('Config', { resourceType, resourceName, name, value: null }))
  }
  return records
}

/** Decides on AlterConfigs and IncrementalAlterConfigs requests. */
export function decideAlterConfigs(ctx: DecisionContext, changes: readonly ConfigChange[]): Decision<null> {
  const seen = new Map<string, number>()
  for (const c of changes) {
    const key = configKey(c.resourceType, c.resourceName)
    seen.set(key, (seen.get(key) ?? 0) + 1)
  }
  const records: MetadataRecord[] = []
  const outcomes = changes.map((change): Outcome<null> => {
    if (seen.get(configKey(change.resourceType, change.resourceName))! > 1)
      return { error: invalid('Each resource must appear at most once.') }
    const decided = decideOne(ctx, change)
    if ('code' in decided) return { error: decided }
    records.push(...decided)
    return { error: null, value: null }
  })
  return { records, outcomes }
}
