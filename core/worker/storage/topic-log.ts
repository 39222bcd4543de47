import type { Admin, Consumer, ConsumerRecord, Producer } from '../../client/types.ts'
import { sleepOrAbort } from '../../common/async/sleep.ts'
import { isRetriable, type MillraceError, messageOf } from '../../common/errors/error-table.ts'
import type { Logger } from '../../common/log.ts'
import type { Props } from '../../connect/props.ts'
import type { Clients } from '../clients.ts'
import { errors } from '../errors.ts'

export interface TopicLogOptions {
  readonly topic: string
  /** The worker key that configures the topic's name. Error messages contain it. */
  readonly topicKey: string
  /** The worker key that configures the replication factor. Error messages contain it. */
  readonly replicationKey: string
  /** The number of partitions of a new topic; -1 for the broker's default. */
  readonly partitions: number
  readonly replicationFactor: number
  /** The settings of a new topic, in addition to `cleanup.policy=compact`. */
  readonly settings: Readonly<Record<string, string>>
  /**
   * Whether to reject an existing topic that has several partitions. This is set for the config
   * topic, because all records of that topic must be in order.
   */
  readonly singlePartition?: boolean
  readonly producer: Props
  readonly consumer: Props
  readonly admin: Props
  readonly clients: Clients
  readonly logger: Logger
  /** Called once if reading the topic fails permanently. */
  readonly onFailure?: (error: Error) => void
  /**
   * Receives every record of the topic, including the records that this process wrote. Records of
   * the same partition arrive in order. Must not throw.
   */
  readonly onRecord: (record: ConsumerRecord) => void
}

interface Waiter {
  readonly targets: Map<number, number>
  readonly resolve: () => void
  readonly reject: (error: Error) => void
}

const POLL_MS = 1000

interface OpenClients {
  readonly admin: Admin
  readonly producer: Producer
  readonly consumer: Consumer
}

type State =
  | { readonly phase: 'new' }
  | { readonly phase: 'open'; readonly clients: OpenClients }
  /**
   * The log was closed, or failed to read the topic. After a failure, the clients stay open until
   * `close`.
   */
  | { readonly phase: 'failed'; readonly clients: OpenClients | null; readonly error: Error }

/**
 * Reads a compacted topic from its beginning, follows new records, and writes records. It is the
 * equivalent of Connect's KafkaBasedLog. The topic is created if it does not exist.
 */
export class TopicLog {
  readonly #o: TopicLogOptions
  readonly #stop = new AbortController()
  readonly #waiters = new Set<Waiter>()
  #state: State = { phase: 'new' }
  #partitions: number[] = []
  #following: Promise<void> = Promise.resolve()

  constructor(options: TopicLogOptions) {
    this.#o = options
  }

  /**
   * Creates the topic if it does not exist, reads all its records, and then follows new records.
   */
  async start(): Promise<void> {
    const { clients, logger, topic } = this.#o
    const admin = clients.admin(this.#o.admin, logger)
    const consumer = clients.consumer(this.#o.consumer, logger)
    const producer = clients.producer(this.#o.producer, logger)
    this.#state = { phase: 'open', clients: { admin, consumer, producer } }
    const created = await this.#create(admin)
    if (!created) await this.#checkPolicy(admin)
    const partitions = await consumer.partitionsFor(topic)
    if (this.#o.singlePartition && partitions.length > 1)
      throw errors.create('MR_WORKER_TOPIC_PARTITIONS', { topic, key: this.#o.topicKey, found: partitions.length })
    this.#partitions = partitions.map(p => p.partition)
    const assigned = this.#partitions.map(partition => ({ topic, partition }))
    consumer.assign(assigned)
    consumer.seekToBeginning(assigned)
    this.#following = this.#follow(consumer)
    await this.readToEnd()
  }

  /**
   * Resolves when `onRecord` has received all records that the topic contains at the time of the
   * call.
   */
  async readToEnd(): Promise<void> {
    const { topic } = this.#o
    const queries = this.#partitions.map(partition => ({ topic, partition, timestamp: -1 }))
    const ends = await this.#clients().admin.listOffsets(queries)
    await this.#reach(new Map(this.#partitions.map((partition, i) => [partition, ends[i]!.offset])))
  }

  /** Writes records. Resolves when they are acknowledged and `onRecord` has received them. */
  async write(records: readonly { key: string; value: string | null }[]): Promise<void> {
    const targets = new Map<number, number>()
    for (const sent of await this.append(records))
      targets.set(sent.partition, Math.max(sent.offset + 1, targets.get(sent.partition) ?? 0))
    await this.#reach(targets)
  }

  /** Writes records. Resolves when they are acknowledged. */
  async append(records: readonly { key: string; value: string | null }[]) {
    const { topic } = this.#o
    const { producer } = this.#clients()
    const rows = records.map(r => ({
      topic,
      key: Buffer.from(r.key),
      value: r.value === null ? null : Buffer.from(r.value),
    }))
    try {
      return await producer.send(rows, this.#stop.signal)
    } catch (cause) {
      throw errors.create('MR_WORKER_STORE_WRITE', { topic, cause: messageOf(cause) }, { cause })
    }
  }

  async close(): Promise<void> {
    if (this.#state.phase === 'failed' && this.#state.clients === null) return
    const clients = this.#state.phase === 'new' ? null : this.#state.clients
    const error = this.#closed('the worker is stopping')
    this.#fail(error)
    this.#state = { phase: 'failed', clients: null, error }
    clients?.consumer.wakeup()
    await this.#following
    const closing = [clients?.consumer.close(), clients?.producer.close({ timeoutMs: 5000 }), clients?.admin.close()]
    for (const result of await Promise.allSettled(closing.filter(promise => promise !== undefined))) {
      if (result.status === 'rejected')
        this.#o.logger.warn(`Closing a client of ${this.#o.topic} failed`, result.reason)
    }
  }

  async #create(admin: Admin): Promise<boolean> {
    const { topic, partitions, replicationFactor, settings, logger } = this.#o
    const [existing] = await admin.describeTopics([topic])
    if (existing) return false
    const configs = { ...settings, 'cleanup.policy': 'compact' }
    try {
      await admin.createTopics([{ name: topic, partitions, replicationFactor, configs }])
      logger.info(`Created the topic ${topic} (${partitions} partitions, replication factor ${replicationFactor})`)
      return true
    } catch (cause) {
      if (isExists(cause)) return false
      if (isRetriable(cause)) throw cause
      const params = { topic, factor: replicationFactor, cause: messageOf(cause), key: this.#o.replicationKey }
      throw errors.create('MR_WORKER_TOPIC_CREATE', params, { cause })
    }
  }

  async #checkPolicy(admin: Admin): Promise<void> {
    const { topic, topicKey, logger } = this.#o
    let policy: string | null | undefined
    try {
      const entries = await admin.describeConfigs({ type: 'topic', name: topic })
      policy = entries.find(e => e.name === 'cleanup.policy')?.value
    } catch (error) {
      logger.warn(`Cannot check that ${topic} is compacted: ${messageOf(error)}`)
      return
    }
    if (policy != null && policy.trim() !== 'compact')
      throw errors.create('MR_WORKER_TOPIC_NOT_COMPACTED', { topic, key: topicKey, policy })
  }

  async #follow(consumer: Consumer): Promise<void> {
    const { signal } = this.#stop
    while (!signal.aborted) {
      try {
        const batches = await consumer.poll(POLL_MS, signal)
        for (const batch of batches) {
          for (const record of batch.records) this.#o.onRecord(record)
        }
        this.#settle(consumer)
      } catch (error) {
        if (signal.aborted) return
        if (!isRetriable(error)) {
          this.#o.logger.error(`Reading ${this.#o.topic} failed permanently`, error)
          const failure = error instanceof Error ? error : new Error(messageOf(error))
          this.#fail(failure)
          this.#o.onFailure?.(failure)
          return
        }
        this.#o.logger.warn(`Reading ${this.#o.topic} failed, retrying: ${messageOf(error)}`)
        await sleepOrAbort(500, signal)
      }
    }
  }

  #reach(targets: Map<number, number>): Promise<void> {
    const { consumer } = this.#clients()
    return new Promise((resolve, reject) => {
      this.#waiters.add({ targets, resolve, reject })
      this.#settle(consumer)
    })
  }

  #settle(consumer: Consumer): void {
    const { topic } = this.#o
    for (const waiter of this.#waiters) {
      for (const [partition, target] of waiter.targets) {
        const position = consumer.position({ topic, partition })
        if (target <= 0 || (position !== null && position >= target)) waiter.targets.delete(partition)
      }
      if (waiter.targets.size > 0) continue
      this.#waiters.delete(waiter)
      waiter.resolve()
    }
  }

  #clients(): OpenClients {
    if (this.#state.phase === 'failed') throw this.#state.error
    if (this.#state.phase === 'new') throw this.#closed('it was not started')
    return this.#state.clients
  }

  #closed(cause: string): MillraceError {
    return errors.create('MR_WORKER_STORE_CLOSED', { topic: this.#o.topic, cause })
  }

  #fail(error: Error): void {
    if (this.#state.phase !== 'failed')
      this.#state = { phase: 'failed', clients: this.#state.phase === 'new' ? null : this.#state.clients, error }
    for (const waiter of this.#waiters) waiter.reject(this.#closed(messageOf(error)))
    this.#waiters.clear()
    this.#stop.abort(error)
  }
}

function isExists(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'kafkaCode' in error && error.kafkaCode === 36
}
