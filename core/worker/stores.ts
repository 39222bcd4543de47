import type { Logger } from '../common/log.ts'
import type { Props } from '../connect/props.ts'
import type { Clients } from './clients.ts'
import { clientProps } from './config/client-overrides.ts'
import { withPrefix } from './config/with-prefix.ts'
import { type WorkerConfig, workerClientProps } from './config/worker-config.ts'
import { OffsetStores } from './herder/offset-stores.ts'
import type { ConfigEvent } from './storage/config-state.ts'
import { ConfigStore, MemoryConfigLog, topicConfigLog } from './storage/config-store.ts'
import { FileOffsetStore } from './storage/file-offset-store.ts'
import { TopicOffsetStore } from './storage/offset-store.ts'
import { StatusStore, TopicStatusSink } from './storage/status-store.ts'
import type { TopicLogOptions } from './storage/topic-log.ts'

/** The stores of a worker, which contain configurations, statuses and source offsets. */
export interface Stores {
  readonly configs: ConfigStore
  readonly statuses: StatusStore
  readonly offsets: OffsetStores
}

/**
 * Creates the stores without starting them. Distributed mode uses three topics. Standalone mode
 * uses memory, and a file for the offsets.
 */
export function createStores(
  config: WorkerConfig,
  clients: Clients,
  logger: Logger,
  onConfigEvent: (event: ConfigEvent) => void,
  onFailure: (error: Error) => void,
): Stores {
  if (config.mode === 'standalone') {
    return {
      configs: new ConfigStore(apply => new MemoryConfigLog(apply), onConfigEvent),
      statuses: new StatusStore(null),
      offsets: new OffsetStores(new FileOffsetStore(config.own['offset.storage.file.filename']), null),
    }
  }
  const { own } = config
  const base = workerClientProps(config)
  const group = own['group.id']
  const topic = (
    which: 'config' | 'offset' | 'status',
    name: string,
  ): Omit<TopicLogOptions, 'onRecord' | 'partitions'> => ({
    topic: name,
    topicKey: `${which}.storage.topic`,
    replicationKey: `${which}.storage.replication.factor`,
    replicationFactor: own[`${which}.storage.replication.factor`],
    settings: topicSettings(config.props, which),
    producer: {
      ...base,
      'client.id': `${group}-${which}s`,
      acks: 'all',
      'enable.idempotence': 'true',
      'linger.ms': '0',
      // REST requests wait for these writes, so the timeouts also limit the time of a request.
      'request.timeout.ms': '15000',
      'delivery.timeout.ms': '30000',
    },
    consumer: { ...base, 'client.id': `${group}-${which}s`, 'enable.auto.commit': 'false' },
    admin: { ...base, 'client.id': `${group}-shared-admin` },
    clients: quiet(clients),
    logger,
    onFailure,
  })
  const offsetTopic = topic('offset', own['offset.storage.topic'])
  const offsetPartitions = own['offset.storage.partitions']
  const openOwn = (name: string, connector: Props) =>
    new TopicOffsetStore({
      ...offsetTopic,
      topic: name,
      topicKey: 'offsets.storage.topic',
      partitions: offsetPartitions,
      producer: clientProps('producer', offsetTopic.producer, config.props, connector),
      consumer: clientProps('consumer', offsetTopic.consumer, config.props, connector),
      admin: clientProps('admin', offsetTopic.admin, config.props, connector),
    })
  return {
    configs: new ConfigStore(topicConfigLog(topic('config', own['config.storage.topic']), logger), onConfigEvent),
    statuses: new StatusStore(
      new TopicStatusSink({
        ...topic('status', own['status.storage.topic']),
        partitions: own['status.storage.partitions'],
      }),
    ),
    offsets: new OffsetStores(new TopicOffsetStore({ ...offsetTopic, partitions: offsetPartitions }), openOwn),
  }
}

/**
 * Returns clients that log INFO messages at DEBUG. Each internal topic has its own clients, whose
 * messages would fill the log.
 */
function quiet(clients: Clients): Clients {
  const lower = (logger: Logger): Logger => ({ ...logger, info: message => logger.debug(message) })
  return {
    producer: (props, logger) => clients.producer(props, lower(logger)),
    consumer: (props, logger) => clients.consumer(props, lower(logger)),
    admin: (props, logger) => clients.admin(props, lower(logger)),
  }
}

/**
 * Returns the settings for a new internal topic: all `<which>.storage.*` keys that the worker does
 * not use itself.
 */
function topicSettings(props: Props, which: 'config' | 'offset' | 'status'): Record<string, string> {
  const own = new Set(['topic', 'partitions', 'replication.factor', 'file.filename', 'cleanup.policy'])
  const all = withPrefix(props, `${which}.storage.`)
  return Object.fromEntries(Object.entries(all).filter(([key]) => !own.has(key)))
}

/**
 * Starts all stores in parallel. If one of them fails to start, closes all of them and throws its
 * error.
 */
export async function startStores(stores: Stores): Promise<void> {
  const results = await Promise.allSettled([stores.configs.start(), stores.statuses.start(), stores.offsets.start()])
  const failed = results.find(r => r.status === 'rejected')
  if (!failed) return
  await closeStores(stores)
  throw failed.reason
}

export async function closeStores(stores: Stores): Promise<void> {
  await Promise.allSettled([stores.configs.close(), stores.statuses.close(), stores.offsets.close()])
}
