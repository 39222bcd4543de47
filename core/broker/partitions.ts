import { setImmediate } from 'node:timers/promises'
import { messageOf } from '../common/errors/error-table.ts'
import type { Logger } from '../common/log.ts'
import { ErrorCode, errorFor } from '../protocol/error-codes.ts'
import { ZERO_UUID } from '../protocol/uuid.ts'
import type { BrokerConfig } from './config/broker-config.ts'
import { dynamicConfigs, TOPIC_DEFAULT_KEYS } from './config/dynamic.ts'
import { type DynamicBrokerConfigs, toLogConfig, topicValues } from './config/effective.ts'
import type { LogConfig, LogManager, PartitionLog } from './log/types.ts'
import {
  configKey,
  EMPTY_IMAGE,
  type ImageDelta,
  type MetadataImage,
  type PartitionImage,
  ResourceType,
  type TopicImage,
  topicConfigsOf,
} from './quorum/image.ts'
import type { Election } from './quorum/registration.ts'
import { METADATA_TOPIC } from './quorum/topic-names.ts'

interface PartitionsOptions {
  readonly logs: LogManager
  readonly config: BrokerConfig
  readonly nodeId: number
  readonly logger: Logger
}

/** How many logs are opened at a time. */
const OPEN_AT_ONCE = 16

/**
 * Keeps the logs on disk as the metadata says: the effects of what the controller decided. Every step can be repeated, so a broker that died
 * between a record and its effect catches up when it starts.
 */
export class Partitions {
  readonly #logs: LogManager
  readonly #config: BrokerConfig
  readonly #nodeId: number
  readonly #logger: Logger
  /** Partitions whose log could not be opened or made, as `topic-partition`: tried again by `retryFailed`. */
  readonly #failed = new Map<string, { topic: TopicImage; partition: number }>()
  /** Logs that are being removed. */
  #removing = 0
  /** The settings of topics without their own, and what they derive from. */
  #plain: { dynamic: DynamicBrokerConfigs; config: LogConfig } | null = null

  constructor(o: PartitionsOptions) {
    this.#logs = o.logs
    this.#config = o.config
    this.#nodeId = o.nodeId
    this.#logger = o.logger
  }

  /**
   * The partitions that need this node elected anew: those it leads whose log was not closed properly, or is gone, since what was acknowledged may be
   * missing there; and those that nobody leads, as Apache leaves them when it stops.
   */
  toElect(image: MetadataImage): Election[] {
    const isDue = (topic: string, p: PartitionImage) =>
      p.leader < 0
        ? p.replicas.includes(this.#nodeId)
        : p.leader === this.#nodeId && !this.#logs.get(topic, p.partition)?.openedCleanly
    return [...image.topicsByName.values()].flatMap(topic =>
      topic.partitions.filter(p => isDue(topic.name, p)).map(p => ({ topicId: topic.id, partition: p })),
    )
  }

  /** Opens every partition's log and removes logs of topics that were deleted. Runs once, at start. */
  async reconcile(image: MetadataImage, removedTopics: ReadonlySet<string>): Promise<void> {
    await this.#removeStrays(image, removedTopics)
    await this.#openAll([...image.topicsByName.values()], image)
  }

  /**
   * A log that no topic has is left from a deletion that was cut short, if the metadata log tells of that deletion. If it does not, the metadata
   * may be what was lost: then the log stays where it is.
   */
  async #removeStrays(image: MetadataImage, removedTopics: ReadonlySet<string>): Promise<void> {
    for (const log of this.#logs.all()) {
      if (log.topic === METADATA_TOPIC) continue
      const topic = image.topicsByName.get(log.topic)
      if (topic && topic.id === log.topicId && log.partition < topic.partitions.length) continue
      // a broker that died between making the directory and naming its topic
      const unborn = log.topicId === ZERO_UUID && log.logEndOffset === 0
      if (unborn || removedTopics.has(log.topicId)) await this.#logs.delete(log.topic, log.partition)
      else this.#logger.warn(`${log.dir} belongs to no topic that the metadata knows: it is left alone, and not served`)
    }
  }

  /**
   * The logs of `previous` are open already; at start there are none. Logs are opened with the
   * broker's defaults, and get their topic's settings here.
   */
  async #openAll(topics: readonly TopicImage[], image: MetadataImage, previous = EMPTY_IMAGE): Promise<void> {
    const work = topics.flatMap(topic => {
      const config = this.#configOf(topic.name, image)
      return topic.partitions
        .slice(previous.topicsById.get(topic.id)?.partitions.length ?? 0)
        .filter(p => p.replicas.includes(this.#nodeId))
        .map(p => ({ topic, partition: p.partition, config }))
    })
    let next = 0
    const worker = async () => {
      for (let item = work[next++]; item; item = work[next++]) {
        // much of this blocks: let requests run in between
        if (next % OPEN_AT_ONCE === 0) await setImmediate()
        await this.#open(item.topic, item.partition, item.config)
      }
    }
    await Promise.all(Array.from({ length: Math.min(OPEN_AT_ONCE, work.length) }, worker))
  }

  async #open(topic: TopicImage, partition: number, config: LogConfig): Promise<void> {
    const name = `${topic.name}-${partition}`
    try {
      const log = await this.#logs.getOrCreate(topic.name, partition, topic.id, config)
      log.beginEpoch(topic.partitions[partition]!.leaderEpoch)
      this.#failed.delete(name)
    } catch (error) {
      if (!this.#failed.has(name)) this.#logger.error(`Partition ${name} is offline: ${messageOf(error)}`)
      this.#failed.set(name, { topic, partition })
    }
  }

  /**
   * Whether no removal is under way. A start removes what is left of topics that the log says were
   * deleted, so the log must say so until their directories are gone.
   */
  get isSettled(): boolean {
    return this.#removing === 0
  }

  /** Tries the partitions that failed once more: a full disk may have room again. */
  async retryFailed(image: MetadataImage): Promise<void> {
    for (const { topic, partition } of [...this.#failed.values()]) {
      if (image.topicsById.get(topic.id)) await this.#open(topic, partition, this.#configOf(topic.name, image))
      else this.#failed.delete(`${topic.name}-${partition}`)
    }
  }

  #configOf(topic: string, image: MetadataImage): LogConfig {
    const dynamic = dynamicConfigs(image, this.#nodeId)
    const own = topicConfigsOf(image, topic)
    if (own.size > 0) return toLogConfig(topicValues(this.#config, dynamic, own), this.#config)
    if (this.#plain?.dynamic.own !== dynamic.own || this.#plain.dynamic.default !== dynamic.default)
      this.#plain = { dynamic, config: toLogConfig(topicValues(this.#config, dynamic, own), this.#config) }
    return this.#plain.config
  }

  /** Makes the logs that `next` has and the image before it had not. */
  async create(previous: MetadataImage, next: MetadataImage, delta: ImageDelta): Promise<void> {
    const grown: TopicImage[] = []
    for (const id of delta.topicIds) {
      const topic = next.topicsById.get(id)
      if (!topic) continue
      if ((previous.topicsById.get(id)?.partitions.length ?? 0) < topic.partitions.length) grown.push(topic)
      // remove a deleted topic with this name first, or its logs would be in the way
      const namesake = previous.topicsByName.get(topic.name)
      if (namesake && namesake.id !== id) await Promise.all(this.#remove(namesake))
    }
    await this.#openAll(grown, next, previous)
  }

  /**
   * Starts to remove the logs that only the image before `next` had, and applies changed settings
   * to the others. Does not wait for removals: a log is renamed in the background, and a new log
   * with its name waits for that.
   */
  update(previous: MetadataImage, next: MetadataImage, delta: ImageDelta): void {
    for (const id of delta.topicIds) {
      const gone = next.topicsById.has(id) ? undefined : previous.topicsById.get(id)
      if (gone) void Promise.all(this.#remove(gone))
    }
    if (delta.configKeys.size > 0) this.#reconfigure(previous, next, delta)
  }

  #remove(topic: TopicImage): Promise<void>[] {
    return topic.partitions.map(async ({ partition }) => {
      this.#failed.delete(`${topic.name}-${partition}`)
      this.#removing++
      try {
        await this.#logs.delete(topic.name, partition, topic.id)
      } catch (error) {
        this.#logger.error(
          `Cannot remove the log of ${topic.name}-${partition}; it stays on disk until the next start`,
          error,
        )
      } finally {
        this.#removing--
      }
    })
  }

  #reconfigure(previous: MetadataImage, next: MetadataImage, { configKeys }: ImageDelta): void {
    const brokerKeys = [configKey(ResourceType.BROKER, String(this.#nodeId)), configKey(ResourceType.BROKER, '')]
    const changesDefaults = brokerKeys.some(
      key => configKeys.has(key) && changesTopics(previous.configs.get(key), next.configs.get(key)),
    )
    const prefix = configKey(ResourceType.TOPIC, '')
    const names = changesDefaults
      ? next.topicsByName.keys()
      : [...configKeys].filter(key => key.startsWith(prefix)).map(key => key.slice(prefix.length))
    for (const name of names) {
      const topic = next.topicsByName.get(name)
      if (!topic) continue
      const config = this.#configOf(name, next)
      for (const p of topic.partitions) this.#logs.get(name, p.partition)?.updateConfig(config)
    }
  }

  /** A partition's log. Throws a KafkaError when there is none, or this node does not lead it. */
  log(topic: string, partition: number, image: MetadataImage): PartitionLog {
    const known = image.topicsByName.get(topic)?.partitions[partition]
    if (!known) throw errorFor(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
    if (known.leader !== this.#nodeId) throw errorFor(ErrorCode.NOT_LEADER_OR_FOLLOWER)
    const log = this.#logs.get(topic, partition)
    if (!log) throw errorFor(ErrorCode.KAFKA_STORAGE_ERROR)
    return log
  }
}

type Configs = ReadonlyMap<string, string> | undefined

/** Whether a broker's configs differ in a key that topics take their defaults from. */
function changesTopics(before: Configs, after: Configs): boolean {
  const names = new Set([...(before?.keys() ?? []), ...(after?.keys() ?? [])])
  return [...names].some(name => TOPIC_DEFAULT_KEYS.has(name) && before?.get(name) !== after?.get(name))
}
