import { createLogger, setLogLevel } from '../../../common/log.ts'
import { ErrorCode, errorFor } from '../../../protocol/index.ts'
import { parseBrokerConfig } from '../../config/broker-config.ts'
import { DEFAULT_LOG_CONFIG } from '../../log/log-config.ts'
import { LogManager } from '../../log/log-manager.ts'
import { EMPTY_IMAGE, type MetadataImage, type TopicImage } from '../../quorum/image.ts'
import type { ImageListener } from '../../quorum/publisher.ts'
import type { BaseServices } from '../../services.ts'
import { type Coordinators, createCoordinators, OFFSETS_TOPIC } from '../index.ts'

const NODE = 1

/**
 * The services that coordinators use, for tests. The logs are real logs in a directory. The test
 * sets the metadata.
 */
export class FakeBroker {
  readonly coordinators: Coordinators
  readonly services: BaseServices
  readonly logs: LogManager
  /** Partitions of __consumer_offsets whose log cannot be opened. */
  readonly offline = new Set<number>()
  /** Milliseconds added to the system clock. */
  ahead = 0
  image: MetadataImage
  #listeners = new Set<ImageListener>()
  readonly #stop = new AbortController()

  private constructor(logs: LogManager, image: MetadataImage, config: Record<string, string>) {
    this.logs = logs
    this.image = image
    const services: Partial<BaseServices> = {
      config: parseBrokerConfig({ 'group.initial.rebalance.delay.ms': '0', ...config }),
      nodeId: NODE,
      logger: createLogger('test.coordinator'),
      now: () => Date.now() + this.ahead,
      image: () => this.image,
      onImage: listener => {
        this.#listeners.add(listener)
        return () => this.#listeners.delete(listener)
      },
      logs,
      log: (topic, partition) => {
        const log = logs.get(topic, partition)
        if (this.offline.has(partition)) throw errorFor(ErrorCode.KAFKA_STORAGE_ERROR)
        if (!log) throw errorFor(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
        return log
      },
      signal: this.#stop.signal,
    }
    this.services = services as BaseServices
    this.coordinators = createCoordinators(this.services)
  }

  /**
   * Opens the logs in `dir` and starts to load the groups. If `loaded` is true, waits until all
   * groups are loaded.
   */
  static async open(
    dir: string,
    image: MetadataImage,
    config: Record<string, string> = {},
    loaded = true,
    offline: readonly number[] = [],
  ): Promise<FakeBroker> {
    setLogLevel('test.coordinator', 'OFF')
    const logs = await LogManager.open({ dirs: [dir], defaults: DEFAULT_LOG_CONFIG })
    for (const topic of image.topicsByName.values())
      for (const p of topic.partitions) await logs.getOrCreate(topic.name, p.partition, topic.id)
    const broker = new FakeBroker(logs, image, config)
    for (const partition of offline) broker.offline.add(partition)
    await broker.coordinators.start()
    if (loaded) await broker.coordinators.groups.loaded()
    return broker
  }

  setImage(image: MetadataImage): void {
    const previous = this.image
    this.image = image
    const topicIds = new Set([...previous.topicsById.keys(), ...image.topicsById.keys()])
    for (const listener of this.#listeners) listener(image, previous, { topicIds, configKeys: new Set() })
  }

  async close(): Promise<void> {
    await this.coordinators.close()
    await this.logs.close()
  }
}

/**
 * Returns metadata with `__consumer_offsets` and these topics. The fake broker leads all
 * partitions.
 */
export function imageOf(
  topics: Record<string, { id: string; partitions: number }>,
  offsetsTopic = { id: 'OOOOOOOOOOOOOOOOOOOOOA', partitions: 3 },
): MetadataImage {
  const all = { [OFFSETS_TOPIC]: offsetsTopic, ...topics }
  const images = Object.entries(all).map(([name, t]): TopicImage => {
    const base = { replicas: [NODE], isr: [NODE], leader: NODE, leaderEpoch: 0, partitionEpoch: 0, directories: [] }
    return {
      name,
      id: t.id,
      partitions: Array.from({ length: t.partitions }, (_, partition) => ({ partition, ...base })),
    }
  })
  return {
    ...EMPTY_IMAGE,
    topicsByName: new Map(images.map(t => [t.name, t])),
    topicsById: new Map(images.map(t => [t.id, t])),
  }
}
