import type { Admin, Consumer, ConsumerRecord, Producer } from '../../client/types.ts'
import { sleepOrAbort } from '../../common/async/sleep.ts'
import { isRetriable, type MillraceError, messageOf } from '../../common/errors/error-table.ts'
import type { Logger } from '../../common/log.ts'
import type { Props } from '../../connect/props.ts'
import type { Clients } from '../clients.ts'
import { errors } from '../errors.ts'

export interface TopicLogOptions {
  readonly topic: string
  /** The worker key that names the topic: for messages. */
  readonly topicKey: string
  /** The worker key of its replication factor: for messages. */
  readonly replicationKey: string
  /** Partitions of a new topic; -1 for the broker's default. */
  readonly partitions: number
  readonly replicationFactor: number
  /** Settings of a new topic beside `cleanup.policy=compact`. */
  readonly settings: Readonly<Record<string, string>>
  /** More than one partition in an existing topic is refused: the config topic's order must be total. */
  readonly singlePartition?: boolean
  readonly producer: Props
  readonly consumer: Props
  readonly admin: Props
  readonly clients: Clients
  readonly logger: Logger
  /** Told once when the topic cannot be followed any more. */
  readonly onFailure?: (error: Error) => void
  /** Every record in the order of its partition, from the beginning, also those of this process. Must not throw. */
  readonly onRecord: (record: ConsumerRecord) => void
}

interface Waiter {
  readonly targets: Map<number, number>
  readonly resolve: () => void
  readonly reject: (error: Error) => void
}

const POLL_MS = 1000

/**
 * A compacted topic that a worker keeps a copy of in memory: created when it is absent, replayed at start, followed from
 * then on, written to. What Connect's KafkaBasedLog does.
 */
export class TopicLog {
  readonly #o: TopicLogOptions
  readonly #stop = new AbortController()
  readonly #waiters = new Set<Waiter>()
  #admin: Admin | null = null
  #producer: Producer | null = null
  #consumer: Consumer | null = null
  #partitions: number[] = []
  #following: Promise<void> | null = null
  #failure: Error | null = null

  constructor(options: TopicLogOptions) {
    this.#o = options
  }

  /** Creates the topic where it is absent, reads it to its end, and follows it from there. */
  async start(): Promise<void> {
    const { clients, logger, topic } = this.#o
    this.#admin = clients.admin(this.#o.admin, logger)
    const created = await this.#create(this.#admin)
    if (!created) await this.#checkPolicy(this.#admin)
    this.#consumer = clients.consumer(this.#o.consumer, logger)
    this.#producer = clients.producer(this.#o.producer, logger)
    const partitions = await this.#consumer.partitionsFor(topic)
    if (this.#o.singlePartition && partitions.length > 1)
      throw errors.create('MR_WORKER_TOPIC_PARTITIONS', { topic, key: this.#o.topicKey, found: partitions.length })
    this.#partitions = partitions.map(p => p.partition)
    const assigned = this.#partitions.map(partition => ({ topic, partition }))
    this.#consumer.assign(assigned)
    this.#consumer.seekToBeginning(assigned)
    this.#following = this.#follow(this.#consumer)
    await this.readToEnd()
  }

  /** Resolves when everything that was in the topic at the time of the call has been given to `onRecord`. */
  async readToEnd(): Promise<void> {
    const { topic } = this.#o
    const queries = this.#partitions.map(partition => ({ topic, partition, timestamp: -1 }))
    const ends = await this.#alive(this.#admin).listOffsets(queries)
    await this.#reach(new Map(this.#partitions.map((partition, i) => [partition, ends[i]!.offset])))
  }

  /** Writes records; resolves when they are acked and have come back through `onRecord`. */
  async write(records: readonly { key: string; value: string | null }[]): Promise<void> {
    const targets = new Map<number, number>()
    for (const sent of await this.append(records))
      targets.set(sent.partition, Math.max(sent.offset + 1, targets.get(sent.partition) ?? 0))
    await this.#reach(targets)
  }

  /** Writes records; resolves when they are acked. */
  async append(records: readonly { key: string; value: string | null }[]) {
    const { topic } = this.#o
    const producer = this.#alive(this.#producer)
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
    if (this.#stop.signal.aborted) return
    this.#fail(errors.create('MR_WORKER_STORE_CLOSED', { store: this.#o.topic, cause: 'the worker is stopping' }))
    this.#consumer?.wakeup()
    await this.#following
    const closing = [this.#consumer?.close(), this.#producer?.close({ timeoutMs: 5000 }), this.#admin?.close()]
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
          this.#o.logger.error(`Reading ${this.#o.topic} failed for good`, error)
          const failure = error instanceof Error ? error : new Error(messageOf(error))
          this.#fail(failure)
          this.#o.onFailure?.(failure)
          return
        }
        this.#o.logger.warn(`Reading ${this.#o.topic} failed and is tried again: ${messageOf(error)}`)
        await sleepOrAbort(500, signal)
      }
    }
  }

  #reach(targets: Map<number, number>): Promise<void> {
    const consumer = this.#alive(this.#consumer)
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

  #alive<T>(client: T | null): T {
    if (this.#failure) throw this.#failure
    if (client === null) throw this.#closed('it was not started')
    return client
  }

  #closed(cause: string): MillraceError {
    return errors.create('MR_WORKER_STORE_CLOSED', { store: this.#o.topic, cause })
  }

  #fail(error: Error): void {
    this.#failure ??= error
    for (const waiter of this.#waiters) waiter.reject(this.#closed(messageOf(error)))
    this.#waiters.clear()
    this.#stop.abort(error)
  }
}

function isExists(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'kafkaCode' in error && error.kafkaCode === 36
}
