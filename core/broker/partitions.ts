import { messageOf } from '../common/errors/error-table.ts'
import type { Logger } from '../common/log.ts'
import { ErrorCode, errorFor } from '../protocol/error-codes.ts'
import { ZERO_UUID } from '../protocol/uuid.ts'
import type { BrokerConfig } from './config/broker-config.ts'
import { dynamicConfigs } from './config/dynamic.ts'
import { toLogConfig, topicValues } from './config/effective.ts'
import type { LogConfig, LogManager, PartitionLog } from './log/types.ts'
import { type MetadataImage, type PartitionImage, type TopicImage, topicConfigsOf } from './quorum/image.ts'
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

  /** Also those that are open already: they were opened with the broker's defaults, and get their topic's settings here. */
  async #openAll(topics: readonly TopicImage[], image: MetadataImage): Promise<void> {
    const work = topics.flatMap(topic => {
      const config = this.#configOf(topic.name, image)
      return topic.partitions
        .filter(p => p.replicas.includes(this.#nodeId))
        .map(p => ({ topic, partition: p.partition, config }))
    })
    let next = 0
    const worker = async () => {
      for (let item = work[next++]; item; item = work[next++]) await this.#open(item.topic, item.partition, item.config)
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

  /** Tries the partitions that failed once more: a full disk may have room again. */
  async retryFailed(image: MetadataImage): Promise<void> {
    for (const { topic, partition } of [...this.#failed.values()]) {
      if (image.topicsById.get(topic.id)) await this.#open(topic, partition, this.#configOf(topic.name, image))
      else this.#failed.delete(`${topic.name}-${partition}`)
    }
  }

  #configOf(topic: string, image: MetadataImage): LogConfig {
    const dynamic = dynamicConfigs(image, this.#nodeId)
    return toLogConfig(topicValues(this.#config, dynamic, topicConfigsOf(image, topic)), this.#config)
  }

  /** Makes the logs that `next` has and the image before it had not. */
  async create(previous: MetadataImage, next: MetadataImage): Promise<void> {
    if (previous.topicsByName === next.topicsByName) return
    const grown = [...next.topicsByName.values()].filter(t => {
      const old = previous.topicsById.get(t.id)
      return !old || old.partitions.length < t.partitions.length
    })
    await this.#openAll(grown, next)
  }

  /** Removes the logs that only the image before `next` had, and gives the others their changed settings. */
  async update(previous: MetadataImage, next: MetadataImage): Promise<void> {
    if (previous.topicsById !== next.topicsById) {
      for (const topic of previous.topicsById.values()) {
        if (next.topicsById.has(topic.id)) continue
        for (const p of topic.partitions) await this.#remove(topic, p.partition)
      }
    }
    if (previous.configs !== next.configs) this.#reconfigure(previous, next)
  }

  async #remove(topic: TopicImage, partition: number): Promise<void> {
    this.#failed.delete(`${topic.name}-${partition}`)
    try {
      await this.#logs.delete(topic.name, partition)
    } catch (error) {
      this.#logger.error(`The log of ${topic.name}-${partition} stays on disk until the next start`, error)
    }
  }

  #reconfigure(previous: MetadataImage, next: MetadataImage): void {
    const before = dynamicConfigs(previous, this.#nodeId)
    const after = dynamicConfigs(next, this.#nodeId)
    const defaults = before.own !== after.own || before.default !== after.default
    for (const topic of next.topicsByName.values()) {
      if (!defaults && topicConfigsOf(previous, topic.name) === topicConfigsOf(next, topic.name)) continue
      const config = this.#configOf(topic.name, next)
      for (const p of topic.partitions) this.#logs.get(topic.name, p.partition)?.updateConfig(config)
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
