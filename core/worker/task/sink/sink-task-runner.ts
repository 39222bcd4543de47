import type {
  Consumer,
  ConsumerBatch,
  ConsumerRecord,
  GroupMetadata,
  RebalanceListener,
} from '../../../client/types.ts'
import { isRetriable, messageOf } from '../../../common/errors/error-table.ts'
import type { Logger } from '../../../common/log.ts'
import type { SinkRecord, TopicPartition } from '../../../connect/record.ts'
import type { SinkTask } from '../../../connect/sink-task.ts'
import type { DeadLetterQueue } from '../failures/dead-letter-queue.ts'
import type { ErrantRecords } from '../failures/errant-records.ts'
import { type ErrorPolicy, SINK_TASK, StageError } from '../failures/error-policy.ts'
import type { LagSample } from '../host/messages-out.ts'
import { reportingSlowCall } from '../host/runner.ts'
import type { MetricsRecorder } from '../metrics/recorder.ts'
import type { SinkContext } from './sink-context.ts'
import type { SinkRecordConverter } from './sink-converter.ts'
import { type Delivery, DeliveryQueue } from './sink-delivery.ts'
import { SinkLag } from './sink-lag.ts'
import { SinkOffsets } from './sink-offsets.ts'

export interface SinkRunnerParts {
  readonly task: SinkTask
  /** The class that errors of `put` are told under. */
  readonly topics: readonly string[] | RegExp
  readonly consumer: Consumer
  readonly context: SinkContext
  readonly converter: SinkRecordConverter
  readonly policy: ErrorPolicy<ConsumerRecord>
  readonly queue: DeadLetterQueue | null
  readonly errant: ErrantRecords | null
  readonly metrics: MetricsRecorder
  readonly logger: Logger
  readonly abort: AbortController
  readonly offsetFlushIntervalMs: number
  onTopic(topic: string): void
  /** Told of its place in the group whenever that has changed. */
  onMember(member: GroupMetadata | null): void
  onDegraded(message: string | null, retryAt: number | null): void
}

/** The longest wait of one poll: an idle sink gets an empty `put` this often, to flush by time. */
const POLL_MS = 1000
const RETRY_MIN_MS = 1000

/** Runs a sink task: consume, convert, transform, put, and commit what the sink says is safe. */
export class SinkTaskRunner {
  readonly #parts: SinkRunnerParts
  readonly #signal: AbortSignal
  readonly #deliveries = new DeliveryQueue()
  readonly #offsets = new SinkOffsets()
  readonly #lag: SinkLag
  readonly #usedTopics = new Set<string>()
  #paused = false
  #retryAt: number | null = null
  #retryDelay = 0
  #nextCommit: number
  #member: GroupMetadata | null = null
  /** The first error of a rebalance callback: the consumer need not know of it. */
  #callbackError: unknown = null
  /** Why there is nothing to read, as shown in the status. */
  #waitingFor: string | null = null

  constructor(parts: SinkRunnerParts) {
    this.#parts = parts
    this.#signal = parts.abort.signal
    this.#lag = new SinkLag(parts.consumer, this.#offsets, parts.logger)
    this.#nextCommit = Date.now() + parts.offsetFlushIntervalMs
  }

  pause(): void {
    this.#paused = true
    this.#parts.consumer.wakeup()
  }

  resume(): void {
    this.#paused = false
    this.#parts.consumer.wakeup()
  }

  /** How far the task is behind the ends of its partitions; null without partitions. */
  lag(): LagSample | null {
    return this.#lag.read()
  }

  /** Resolves after an orderly stop; rejects with what fails the task. The task's `stop` was called in both cases. */
  async run(): Promise<void> {
    const { consumer, task, topics, logger } = this.#parts
    let failure: unknown = null
    try {
      consumer.subscribe(topics, this.#listener())
      while (!this.#signal.aborted) await this.#round()
    } catch (error) {
      // A put that is told to stop may end with an error: its batch was not taken, and will come again.
      if (this.#signal.aborted) logger.debug(`ended while stopping: ${messageOf(error)}`)
      else failure = error
    }
    this.#parts.abort.abort()
    try {
      // What was delivered before a failure is as good as ever.
      await this.#closePartitions(consumer.assignment(), true)
    } catch (error) {
      failure ??= error
    }
    try {
      await task.stop()
    } catch (error) {
      logger.warn('stop of the task failed', error)
    }
    if (failure !== null) throw failure
  }

  async #round(): Promise<void> {
    const { consumer, context, metrics } = this.#parts
    if (context.takeCommitRequest() || Date.now() >= this.#nextCommit) await this.#commit()
    for (const seek of context.takeSeeks()) {
      consumer.seek(seek, seek.offset)
      this.#offsets.reset(seek)
    }
    this.#holdBack()
    // A wait for the next try of a put counts as time of the put
    metrics.stages.enter(this.#paused ? null : this.#retryAt === null ? 'consume' : 'put')
    const batches = await consumer.poll(this.#pollTimeout(), this.#signal)
    metrics.stages.enter(null)
    this.#tellMember()
    if (this.#callbackError !== null) throw this.#callbackError
    if (this.#signal.aborted) return
    if (batches.length > 0) await this.#take(batches)
    else this.#tellTopics()
    if (this.#parts.queue?.congested) await this.#parts.queue.settled(this.#signal)
    if (this.#paused) return
    if (this.#retryAt === null || Date.now() >= this.#retryAt) await this.#deliver()
    metrics.partitions = consumer.assignment().length
    metrics.recordsActive = this.#offsets.uncommitted
  }

  /** Before each put: if that blocks the thread, others speak to the group for it. */
  #tellMember(): void {
    const now = this.#parts.consumer.groupMetadata()
    const before = this.#member
    if (now?.memberId === before?.memberId && now?.generationId === before?.generationId) return
    this.#member = now
    this.#parts.onMember(now)
  }

  /** Reports in the status that there are no topics to read, until there are some. */
  #tellTopics(): void {
    const { consumer, topics, logger, onDegraded } = this.#parts
    let message: string | null = null
    if (topics instanceof RegExp) {
      const isJoined = consumer.groupMetadata() !== null
      if (isJoined && consumer.subscription().length === 0) {
        message = 'no topic matches topics.regex; the task is waiting for one'
      }
    } else {
      const missing = consumer.missingTopics()
      if (missing.length > 0) message = `topics do not exist: [${missing.join(', ')}]; the task is waiting for them`
    }
    if (message === this.#waitingFor) return
    this.#waitingFor = message
    if (message !== null) logger.warn(message)
    onDegraded(message, null)
  }

  /** While a batch waits to be put again, or the task is paused, the consumer only keeps its membership. */
  #holdBack(): void {
    const { consumer, context } = this.#parts
    const hold = this.#paused || !this.#deliveries.empty
    const own = consumer.assignment().filter(p => !context.isPaused(p))
    if (own.length === 0) return
    if (hold) consumer.pause(own)
    else if (consumer.paused().length > 0) consumer.resume(own)
  }

  #pollTimeout(): number {
    const now = Date.now()
    const until = Math.min(this.#nextCommit, this.#paused ? Number.POSITIVE_INFINITY : (this.#retryAt ?? now + POLL_MS))
    return Math.max(0, Math.min(until - now, POLL_MS))
  }

  async #take(batches: readonly ConsumerBatch[]): Promise<void> {
    const { converter, errant, metrics } = this.#parts
    metrics.stages.enter('process')
    const chunk: Delivery[] = []
    for (const batch of batches) {
      if (!this.#usedTopics.has(batch.topic)) {
        this.#usedTopics.add(batch.topic)
        this.#parts.onTopic(batch.topic)
      }
      for (const raw of batch.records) {
        metrics.recordsRead++
        let record: SinkRecord | null | undefined
        try {
          record = converter.convert(raw)
        } catch (error) {
          if (!(error instanceof StageError)) throw error
          metrics.stages.enter(error.stage === 'TRANSFORMATION' ? 'transform' : 'convert')
          record = await this.#parts.policy.recover(raw, error, () => converter.convert(raw))
          metrics.stages.enter('process')
        }
        if (record) {
          errant?.remember(record, raw)
          chunk.push({ record, raw })
        } else if (record === null) metrics.recordsFiltered++
      }
      this.#offsets.consumed(batch.topic, batch.partition, batch.records)
      this.#lag.consumed(batch)
    }
    this.#deliveries.push(chunk)
    metrics.stages.enter(null)
  }

  async #deliver(): Promise<void> {
    if (this.#deliveries.empty) await this.#put([])
    for (let chunk = this.#deliveries.next(); chunk !== null; chunk = this.#deliveries.next()) {
      if (this.#signal.aborted) return
      try {
        await this.#put(chunk)
        if (this.#retryAt !== null) return
        this.#deliveries.taken()
      } catch (error) {
        if (!this.#parts.policy.tolerant || !isDataError(error)) throw error
        const bad = this.#deliveries.refused()
        if (bad) this.#parts.policy.reject(bad.raw, new StageError('TASK_PUT', SINK_TASK, error))
      }
    }
    this.#offsets.allDelivered()
    this.#parts.metrics.stages.enter(null)
  }

  /** Sets `retryAt` when the sink asks for the same batch again. */
  async #put(chunk: readonly Delivery[]): Promise<void> {
    const { task, metrics, context, logger } = this.#parts
    metrics.stages.enter('put')
    const startedAt = performance.now()
    try {
      const records = chunk.map(d => d.record)
      const report = (message: string | null) => this.#parts.onDegraded(message, null)
      await reportingSlowCall(`put of ${chunk.length} records`, () => task.put(records), report)
    } catch (error) {
      if (!isRetriable(error)) throw error
      if (this.#signal.aborted) {
        logger.debug(`put ended by the stop: ${messageOf(error)}`)
        return
      }
      const most = this.#parts.policy.config['errors.retry.delay.max.ms']
      this.#retryDelay = Math.min(this.#retryDelay === 0 ? RETRY_MIN_MS : this.#retryDelay * 2, most)
      const delay = context.takeTimeout() ?? this.#retryDelay
      this.#retryAt = Date.now() + delay
      metrics.retries++
      logger.warn(`put of ${chunk.length} records failed, next try in ${delay} ms: ${messageOf(error)}`)
      this.#parts.onDegraded(messageOf(error), this.#retryAt)
      return
    }
    if (this.#retryDelay > 0) this.#parts.onDegraded(null, null)
    this.#retryAt = null
    this.#retryDelay = 0
    metrics.recordsWritten += chunk.length
    metrics.batch(chunk.length, startedAt)
  }

  async #commit(partitions?: readonly TopicPartition[], ending = false): Promise<void> {
    const { task, consumer, metrics, logger, queue } = this.#parts
    this.#nextCommit = Date.now() + this.#parts.offsetFlushIntervalMs
    metrics.stages.enter('commit')
    const startedAt = metrics.commitStarted()
    // preCommit comes even with nothing to commit: a sink may count on it to flush.
    const returned = await task.preCommit(this.#offsets.delivered(partitions))
    await queue?.settled()
    const { commit, beyond } = this.#offsets.toCommit(returned)
    for (const o of beyond) {
      logger.warn(`preCommit returned ${o.topic}-${o.partition}@${o.offset}, which was never delivered; ignored`)
    }
    if (commit.length > 0) {
      try {
        await consumer.commit(commit)
        this.#offsets.committed(commit)
        metrics.commitSucceeded(startedAt)
      } catch (error) {
        metrics.offsetCommitFailures++
        const what = ending ? 'these records will be delivered again' : 'will try again'
        logger.warn(`Commit of offsets failed, ${what}: ${messageOf(error)}`)
      }
    }
    metrics.stages.enter(null)
  }

  #listener(): RebalanceListener {
    const guarded = (run: (partitions: readonly TopicPartition[]) => Promise<void>) => {
      return async (partitions: readonly TopicPartition[]): Promise<void> => {
        if (partitions.length === 0) return
        try {
          await run(partitions)
        } catch (error) {
          this.#callbackError ??= error
        }
      }
    }
    return {
      onPartitionsAssigned: guarded(async partitions => {
        await this.#parts.task.open?.(partitions)
      }),
      onPartitionsRevoked: guarded(partitions => this.#closePartitions(partitions, true)),
      onPartitionsLost: guarded(partitions => this.#closePartitions(partitions, false)),
    }
  }

  async #closePartitions(partitions: readonly TopicPartition[], commit: boolean): Promise<void> {
    if (partitions.length === 0) return
    try {
      if (commit) await this.#commit(partitions, true)
    } finally {
      await this.#parts.task.close?.(partitions)
      this.#deliveries.drop(partitions)
      this.#offsets.forget(partitions)
      this.#lag.forget(partitions)
      this.#parts.context.forget(partitions)
      if (this.#deliveries.empty) this.#retryAt = null
    }
  }
}

/** Whether an error says that a record is at fault, told by name since a plugin may carry its own copy of the class. */
function isDataError(error: unknown): boolean {
  for (let at = error, depth = 0; at instanceof Error && depth < 10; at = at.cause, depth++) {
    if (at.name === 'DataError') return true
  }
  return false
}
