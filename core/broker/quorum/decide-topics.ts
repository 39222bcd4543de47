import { ErrorCode } from '../../protocol/error-codes.ts'
import { ZERO_UUID } from '../../protocol/uuid.ts'
import type { BrokerConfig } from '../config/broker-config.ts'
import { type DynamicBrokerConfigs, topicValues } from '../config/effective.ts'
import type { NewPartitions, NewTopic, Outcome, Refusal } from './controller-api.ts'
import { type MetadataImage, ResourceType, type TopicImage } from './image.ts'
import { type MetadataRecord, record } from './records.ts'
import { checkMerged, checkTopicConfigs } from './topic-config-check.ts'
import { collisionKey, METADATA_TOPIC, mayCollide, refuseTopicName } from './topic-names.ts'

/** Everything that a decision depends on. Decisions can therefore be tested without a broker. */
export interface DecisionContext {
  readonly image: MetadataImage
  readonly config: BrokerConfig
  readonly dynamic: DynamicBrokerConfigs
  /** Returns a new, random topic id. */
  newId(): string
}

/** The records to write, and the outcome of each item of a request after they are written. */
export interface Decision<T> {
  readonly records: readonly MetadataRecord[]
  readonly outcomes: readonly Outcome<T>[]
}

const refusal = (code: number, message: string | null): Refusal => ({ code, message })
const badAssignment = (message: string) => refusal(ErrorCode.INVALID_REPLICA_ASSIGNMENT, message)

function checkReplicas(ctx: DecisionContext, brokerIds: readonly number[]): Refusal | null {
  if (brokerIds.length === 0) return badAssignment('The manual partition assignment includes an empty replica list.')
  const sorted = [...brokerIds].sort((a, b) => a - b)
  for (const [i, id] of sorted.entries()) {
    if (!ctx.image.brokers.has(id))
      return badAssignment(`The manual partition assignment includes broker ${id}, but no such broker is registered.`)
    if (sorted[i + 1] === id)
      return badAssignment(`The manual partition assignment includes the broker ${id} more than once.`)
  }
  return null
}

/**
 * Assigns the replicas of new partitions to the brokers in turn. The first broker of a partition
 * depends on the partition's number. (Kafka chooses the first broker at random.)
 */
function assignReplicas(ctx: DecisionContext, from: number, count: number, factor: number): number[][] | Refusal {
  const brokers = [...ctx.image.brokers.values()].filter(b => !b.fenced).map(b => b.id)
  if (factor > brokers.length)
    return refusal(
      ErrorCode.INVALID_REPLICATION_FACTOR,
      `Unable to replicate the partition ${factor} time(s): The target replication factor of ${factor} cannot be reached because only ${brokers.length} broker(s) are registered or some brokers have all their log directories cordoned.`,
    )
  return Array.from({ length: count }, (_, p) =>
    Array.from({ length: factor }, (_, r) => brokers[(from + p + r) % brokers.length]!),
  )
}

function manual(ctx: DecisionContext, topic: NewTopic): number[][] | Refusal {
  if (topic.replicationFactor !== -1)
    return refusal(
      ErrorCode.INVALID_REQUEST,
      'A manual partition assignment was specified, but replication factor was not set to -1.',
    )
  if (topic.numPartitions !== -1)
    return refusal(
      ErrorCode.INVALID_REQUEST,
      'A manual partition assignment was specified, but numPartitions was not set to -1.',
    )
  const replicas: number[][] = []
  for (const a of topic.assignments) {
    if (replicas[a.partition])
      return badAssignment(`Found multiple manual partition assignments for partition ${a.partition}`)
    const wrong = checkReplicas(ctx, a.brokerIds)
    if (wrong) return wrong
    if (a.partition < 0 || a.partition >= topic.assignments.length)
      return badAssignment('partitions should be a consecutive 0-based integer sequence')
    replicas[a.partition] = [...a.brokerIds]
  }
  return replicas
}

function assignmentOf(ctx: DecisionContext, topic: NewTopic): number[][] | Refusal {
  if (topic.assignments.length > 0) return manual(ctx, topic)
  if (topic.replicationFactor < -1 || topic.replicationFactor === 0)
    return refusal(
      ErrorCode.INVALID_REPLICATION_FACTOR,
      'Replication factor must be larger than 0, or -1 to use the default value.',
    )
  if (topic.numPartitions < -1 || topic.numPartitions === 0)
    return refusal(ErrorCode.INVALID_PARTITIONS, 'Number of partitions was set to an invalid non-positive value.')
  const { values } = ctx.config
  const count = topic.numPartitions === -1 ? values['num.partitions'] : topic.numPartitions
  const factor = topic.replicationFactor === -1 ? values['default.replication.factor'] : topic.replicationFactor
  return assignReplicas(ctx, 0, count, factor)
}

/**
 * The maximum number of partitions that one request may create, as in Kafka
 * (MAX_PARTITIONS_PER_BATCH of its controller).
 */
const MAX_PARTITIONS_PER_REQUEST = 10_000

function partitionRecord(ctx: DecisionContext, topicId: string, partition: number, replicas: readonly number[]) {
  const directories = replicas.map(id => {
    const dirs = ctx.image.brokers.get(id)?.logDirs ?? []
    return dirs.length === 1 ? dirs[0]! : ZERO_UUID
  })
  return record('Partition', {
    partitionId: partition,
    topicId,
    replicas,
    isr: replicas,
    leader: replicas[0]!,
    leaderEpoch: 0,
    partitionEpoch: 0,
    directories,
  })
}

function configsOf(topic: NewTopic): Map<string, string> | Refusal {
  const configs = new Map<string, string>()
  for (const { name, value } of topic.configs) {
    if (value === null) return refusal(ErrorCode.INVALID_CONFIG, `Null value not supported for topic configs: ${name}`)
    configs.set(name, value)
  }
  return configs
}

/** Checks the configs of a topic in a request. Returns the configs to write, or an error. */
function checkedConfigs(ctx: DecisionContext, topic: NewTopic): Map<string, string> | Refusal {
  const configs = configsOf(topic)
  if ('code' in configs) return configs
  return checkTopicConfigs(configs) ?? checkMerged(topicValues(ctx.config, ctx.dynamic, configs)) ?? configs
}

interface Decided {
  readonly records: MetadataRecord[]
  readonly topic: TopicImage
}

/**
 * Returns the name of a topic that differs from this name only in `.` and `_`. `taken` contains the
 * topics of the same request.
 */
function collidingName(ctx: DecisionContext, name: string, taken: ReadonlyMap<string, string>): string | undefined {
  if (!mayCollide(name)) return undefined
  return ctx.image.collisions.get(collisionKey(name))?.[0] ?? taken.get(collisionKey(name))
}

function decideTopic(ctx: DecisionContext, topic: NewTopic, taken: Map<string, string>): Decided | Refusal {
  if (topic.name === METADATA_TOPIC)
    return refusal(ErrorCode.INVALID_REQUEST, `Creation of internal topic ${METADATA_TOPIC} is prohibited.`)
  const badName = refuseTopicName(topic.name)
  if (badName) return badName
  if (ctx.image.topicsByName.has(topic.name))
    return refusal(ErrorCode.TOPIC_ALREADY_EXISTS, `Topic '${topic.name}' already exists.`)
  const collides = collidingName(ctx, topic.name, taken)
  if (collides !== undefined)
    return refusal(ErrorCode.INVALID_TOPIC_EXCEPTION, `Topic '${topic.name}' collides with existing topic: ${collides}`)
  const configs = checkedConfigs(ctx, topic)
  if ('code' in configs) return configs
  const assignment = assignmentOf(ctx, topic)
  if ('code' in assignment) return assignment
  if (mayCollide(topic.name)) taken.set(collisionKey(topic.name), topic.name)
  const id = ctx.newId()
  const partitions = assignment.map((replicas, p) => partitionRecord(ctx, id, p, replicas))
  const records = [
    record('Topic', { name: topic.name, topicId: id }),
    ...[...configs].map(([name, value]) =>
      record('Config', { resourceType: ResourceType.TOPIC, resourceName: topic.name, name, value }),
    ),
    ...partitions,
  ]
  return {
    records,
    topic: {
      name: topic.name,
      id,
      partitions: assignment.map((replicas, partition) => ({
        partition,
        replicas,
        isr: replicas,
        leader: replicas[0]!,
        leaderEpoch: 0,
        partitionEpoch: 0,
        directories: [],
      })),
    },
  }
}

/**
 * Whether the topics of a request together have more partitions than Kafka allows. Without this
 * limit, a small request could create or describe a hundred thousand topics.
 */
function tooManyPartitions(ctx: DecisionContext, topics: readonly NewTopic[]): boolean {
  let sum = 0
  for (const { assignments, numPartitions } of topics) {
    const count = numPartitions === -1 ? ctx.config.values['num.partitions'] : Math.max(0, numPartitions)
    sum += assignments.length || count
  }
  return sum > MAX_PARTITIONS_PER_REQUEST
}

/** Decides on CreateTopics requests. As in Kafka, a name that occurs twice is rejected. */
export function decideCreateTopics(ctx: DecisionContext, topics: readonly NewTopic[]): Decision<TopicImage> {
  const seen = new Map<string, number>()
  for (const t of topics) seen.set(t.name, (seen.get(t.name) ?? 0) + 1)
  if (tooManyPartitions(ctx, topics)) {
    const error = refusal(ErrorCode.POLICY_VIOLATION, 'Excessively large number of partitions per request.')
    return { records: [], outcomes: topics.map(() => ({ error })) }
  }
  const taken = new Map<string, string>()
  const records: MetadataRecord[] = []
  const outcomes = topics.map((topic): Outcome<TopicImage> => {
    if (seen.get(topic.name)! > 1) return { error: refusal(ErrorCode.INVALID_REQUEST, 'Duplicate topic name.') }
    const decided = decideTopic(ctx, topic, taken)
    if ('code' in decided) return { error: decided }
    records.push(...decided.records)
    return { error: null, value: decided.topic }
  })
  return { records, outcomes }
}

/** Decides on DeleteTopics requests. Topics are identified by id. */
export function decideDeleteTopics(ctx: DecisionContext, ids: readonly string[]): Decision<TopicImage> {
  const records: MetadataRecord[] = []
  const done = new Set<string>()
  const outcomes = ids.map((id): Outcome<TopicImage> => {
    const topic = ctx.image.topicsById.get(id)
    if (!topic || done.has(id)) return { error: refusal(ErrorCode.UNKNOWN_TOPIC_ID, null) }
    done.add(id)
    records.push(record('RemoveTopic', { topicId: id }))
    return { error: null, value: topic }
  })
  return { records, outcomes }
}

function grow(ctx: DecisionContext, request: NewPartitions): Decided | Refusal {
  const topic = ctx.image.topicsByName.get(request.name)
  if (!topic) return refusal(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, null)
  const now = topic.partitions.length
  const added = request.count - now
  if (added === 0) return refusal(ErrorCode.INVALID_PARTITIONS, `Topic already has ${now} partition(s).`)
  if (added < 0)
    return refusal(
      ErrorCode.INVALID_PARTITIONS,
      `The topic ${topic.name} currently has ${now} partition(s); ${request.count} would not be an increase.`,
    )
  if (added > MAX_PARTITIONS_PER_REQUEST)
    return refusal(ErrorCode.INVALID_PARTITIONS, `One request cannot add ${added} partitions.`)
  if (request.assignments && request.assignments.length !== added)
    return badAssignment(
      `Attempted to add ${added} additional partition(s), but only ${request.assignments.length} assignment(s) were specified.`,
    )
  for (const brokerIds of request.assignments ?? []) {
    const wrong = checkReplicas(ctx, brokerIds)
    if (wrong) return wrong
  }
  const factor = topic.partitions[0]?.replicas.length ?? 1
  const assignment = request.assignments ?? assignReplicas(ctx, now, added, factor)
  if ('code' in assignment) return assignment
  return { topic, records: assignment.map((replicas, i) => partitionRecord(ctx, topic.id, now + i, replicas)) }
}

/** Decides on CreatePartitions requests. */
export function decideCreatePartitions(ctx: DecisionContext, topics: readonly NewPartitions[]): Decision<TopicImage> {
  const seen = new Map<string, number>()
  for (const t of topics) seen.set(t.name, (seen.get(t.name) ?? 0) + 1)
  const records: MetadataRecord[] = []
  const outcomes = topics.map((request): Outcome<TopicImage> => {
    if (seen.get(request.name)! > 1) return { error: refusal(ErrorCode.INVALID_REQUEST, 'Duplicate topic name.') }
    const decided = grow(ctx, request)
    if ('code' in decided) return { error: decided }
    records.push(...decided.records)
    return { error: null, value: decided.topic }
  })
  return { records, outcomes }
}
