import { nextTurn } from '../common/async/next-turn.ts'
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

/** The maximum number of logs that are opened at the same time. */
const OPEN_AT_ONCE = 16

/**
 * Creates, opens and removes logs according to the metadata. Every step can be repeated: if the
 * broker dies between writing a metadata record and applying it, the next start completes the
 * change.
 */
export class Partitions {
  readonly #logs: LogManager
  readonly #config: BrokerConfig
  readonly #nodeId: number
  readonly #logger: Logger
  /**
   * The partitions whose log could not be opened or created, by `topic-partition`. `retryFailed`
   * tries to open them again.
   */
  readonly #failed = new Map<string, { topic: TopicImage; partition: number }>()
  /** The number of logs that are being removed. */
  #removing = 0
  /**
   * The log settings of topics without their own configs, and the broker configs from which they
   * were computed.
   */
  #plain: { dynamic: DynamicBrokerConfigs; config: LogConfig } | null = null

  constructor(o: PartitionsOptions) {
    this.#logs = o.logs
    this.#config = o.config
    this.#nodeId = o.nodeId
    this.#logger = o.logger
  }

  /**
   * Returns the partitions that need a new leader epoch from this node. A partition needs one if
   * this node leads it and its log is missing or was not closed cleanly, because acknowledged
   * records may be lost. A partition without a leader also needs one if this node has a replica.
   * (When Apache stops, its partitions have no leader.)
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

  /**
   * Opens the logs of all partitions, and removes the logs of deleted topics. Called once, when the
   * broker starts.
   */
  async reconcile(image: MetadataImage, removedTopics: ReadonlySet<string>): Promise<void> {
    await this.#removeStrays(image, removedTopics)
    await this.#openAll([...image.topicsByName.values()], image)
  }

  /**
   * Removes logs without a topic if the metadata log records the deletion of their topic, because
   * that deletion was interrupted. Keeps other logs without a topic, because the metadata may have
   * been lost.
   */
  async #removeStrays(image: MetadataImage, removedTopics: ReadonlySet<string>): Promise<void> {
    for (const log of this.#logs.all()) {
      if (log.topic === METADATA_TOPIC) continue
      const topic = image.topicsByName.get(log.topic)
      if (topic && topic.id === log.topicId && log.partition < topic.partitions.length) continue
      // The broker may have died after it created the directory and before it wrote the topic id.
      const unnamed = log.topicId === ZERO_UUID && log.logEndOffset === 0
      if (unnamed || removedTopics.has(log.topicId)) await this.#logs.delete(log.topic, log.partition)
      else this.#logger.warn(`${log.dir} belongs to no topic in the metadata. The directory is kept, but not served`)
    }
  }

  /**
   * Opens the logs of the partitions that are not in `previous`, and applies the settings of their
   * topics. `previous` is empty when the broker starts.
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
        // Opening a log blocks the event loop, so let other work run after every few logs.
        if (next % OPEN_AT_ONCE === 0) await nextTurn()
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
   * Whether no log is being removed. Until the directories of a deleted topic are removed, the
   * metadata log must keep the record of the deletion. A restart uses the record to remove the
   * remaining directories.
   */
  get isSettled(): boolean {
    return this.#removing === 0
  }

  /** The number of partitions whose log could not be opened. */
  get offline(): number {
    return this.#failed.size
  }

  /**
   * Tries again to open the logs that could not be opened. For example, a full disk may have space
   * again.
   */
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

  /** Creates the logs that are in `next` but not in `previous`. */
  async create(previous: MetadataImage, next: MetadataImage, delta: ImageDelta): Promise<void> {
    const grown: TopicImage[] = []
    for (const id of delta.topicIds) {
      const topic = next.topicsById.get(id)
      if (!topic) continue
      if ((previous.topicsById.get(id)?.partitions.length ?? 0) < topic.partitions.length) grown.push(topic)
      // First remove the deleted topic with the same name, because its logs have the same
      // directories.
      const namesake = previous.topicsByName.get(topic.name)
      if (namesake && namesake.id !== id) await Promise.all(this.#remove(namesake))
    }
    await this.#openAll(grown, next, previous)
  }

  /**
   * Starts to remove the logs that are only in `previous`, and applies changed settings to the
   * others. Does not wait for the removals: a log is renamed in the background, and a new log with
   * the same name waits until that is done.
   */
  update(previous: MetadataImage, next: MetadataImage, delta: ImageDelta): void {
    for (const id of delta.topicIds) {
      const removed = next.topicsById.has(id) ? undefined : previous.topicsById.get(id)
      if (removed) void Promise.all(this.#remove(removed))
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
          `Cannot remove the log of ${topic.name}-${partition}. It remains on disk until the next start`,
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

  /**
   * Returns a partition's log. Throws a KafkaError if the partition does not exist, if this node
   * does not lead it, or if its log could not be opened.
   */
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

/** Whether two sets of broker configs differ in a key that topics inherit. */
function changesTopics(before: Configs, after: Configs): boolean {
  const names = new Set([...(before?.keys() ?? []), ...(after?.keys() ?? [])])
  return [...names].some(name => TOPIC_DEFAULT_KEYS.has(name) && before?.get(name) !== after?.get(name))
}
