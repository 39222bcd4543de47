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
import { errors } from '../errors.ts'
import type { DeadLetterQueue } from '../failures/dead-letter-queue.ts'
import type { ErrantRecords } from '../failures/errant-records.ts'
import { type ErrorPolicy, SINK_TASK, StageError } from '../failures/error-policy.ts'
import type { LagSample } from '../host/messages-out.ts'
import { reportingSlowCall } from '../host/runner.ts'
import type { MetricsRecorder } from '../metrics/recorder.ts'
import type { GroupWait } from './group-wait.ts'
import { offsetsFault } from './offsets-fault.ts'
import type { SinkContext } from './sink-context.ts'
import type { SinkRecordConverter } from './sink-converter.ts'
import { type Delivery, DeliveryQueue } from './sink-delivery.ts'
import { SinkLag } from './sink-lag.ts'
import { SinkOffsets } from './sink-offsets.ts'

export interface SinkRunnerParts {
  readonly task: SinkTask
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
  readonly groupWait: GroupWait
  /** Called when the consumer group member of the task has changed. */
  onMember(member: GroupMetadata | null): void
  onDegraded(message: string | null, retryAt: number | null): void
}

/**
 * The maximum time of one poll, ms. An idle sink gets an empty `put` after each poll, so that it
 * can flush records after a time.
 */
const POLL_MS = 1000
const RETRY_MIN_MS = 1000

/**
 * The state of the retry after a failed `put`. In the phase `scheduled`, the batch is put again at
 * `at`. In the phase `pending`, the batch was dropped because its partitions were revoked or lost.
 * The status then shows the failure until the next `put` succeeds.
 */
type Retry =
  | { readonly phase: 'none' }
  | { readonly phase: 'scheduled'; readonly at: number; readonly delayMs: number }
  | { readonly phase: 'pending'; readonly delayMs: number }

const NO_RETRY: Retry = { phase: 'none' }

/**
 * Runs a sink task. It consumes, converts, transforms and puts records, and commits their offsets.
 */
export class SinkTaskRunner {
  readonly #parts: SinkRunnerParts
  readonly #signal: AbortSignal
  readonly #deliveries = new DeliveryQueue()
  readonly #offsets = new SinkOffsets()
  readonly #lag: SinkLag
  readonly #usedTopics = new Set<string>()
  #paused = false
  #retry: Retry = NO_RETRY
  #nextCommit: number
  #member: GroupMetadata | null = null
  /** Whether the task is being stopped or is stopped. Rebalance callbacks are then ignored. */
  #stopping = false
  /** The first error of a rebalance callback. The task fails with this error after the poll. */
  #callbackError: unknown = null
  /** What the task is waiting for, as shown in its status. */
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

  /** Returns the lag behind the end offsets of the partitions; null if the lag is unknown. */
  lag(): LagSample | null {
    return this.#lag.read()
  }

  /**
   * Resolves after a requested stop, and rejects if the task fails. In both cases, `stop` of the
   * task is called first.
   */
  async run(): Promise<void> {
    const { consumer, task, topics, logger } = this.#parts
    let failure: unknown = null
    try {
      consumer.subscribe(topics, this.#listener())
      while (!this.#signal.aborted) await this.#round()
    } catch (error) {
      // After a requested stop, the `put` that was running may throw. Its batch was not accepted,
      // so it is delivered again after the next start.
      if (this.#signal.aborted) logger.debug(`the task failed while it stopped: ${messageOf(error)}`)
      else {
        failure = error
        this.#parts.metrics.failed()
      }
    }
    this.#parts.abort.abort()
    try {
      // Commits the offsets of the batches that were accepted before a failure.
      await this.#closePartitions(consumer.assignment(), true)
    } catch (error) {
      failure ??= error
    }
    // Rebalance callbacks are ignored from here on, as in Connect, because the consumer revokes the
    // partitions again when it is closed.
    this.#stopping = true
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
    this.#pauseOrResume()
    // The delay before a batch is put again counts as time of the stage `put`.
    metrics.stages.enter(this.#paused ? null : this.#retry.phase === 'scheduled' ? 'put' : 'consume')
    const batches = await consumer.poll(this.#pollTimeout(), this.#signal)
    metrics.stages.enter(null)
    this.#reportMember()
    if (this.#callbackError !== null) throw this.#callbackError
    if (this.#signal.aborted) return
    if (batches.length > 0) await this.#take(batches)
    if (batches.length === 0 || this.#waitingFor !== null) this.#reportWaiting()
    if (this.#parts.queue?.congested) await this.#parts.queue.settled(this.#signal)
    if (this.#paused) return
    if (this.#retry.phase !== 'scheduled' || Date.now() >= this.#retry.at) await this.#deliver()
    metrics.partitions = consumer.assignment().length
    metrics.recordsActive = this.#offsets.uncommitted
  }

  /**
   * Sends the current group member to the herder before the next `put`. If that `put` blocks the
   * thread, the herder sends heartbeats for the member.
   */
  #reportMember(): void {
    const now = this.#parts.consumer.groupMetadata()
    const before = this.#member
    if (now?.memberId === before?.memberId && now?.generationId === before?.generationId) return
    this.#member = now
    this.#parts.onMember(now)
  }

  /** Shows in the status what the task is waiting for. */
  #reportWaiting(): void {
    const { consumer, logger, onDegraded, groupWait } = this.#parts
    const joining = groupWait.check(consumer.joining())
    const message = this.#missingTopics() ?? joining
    if (message === this.#waitingFor) return
    this.#waitingFor = message
    if (message !== null) logger.warn(message)
    onDegraded(message, null)
  }

  #missingTopics(): string | null {
    const { consumer, topics } = this.#parts
    if (topics instanceof RegExp) {
      const isJoined = consumer.groupMetadata() !== null
      const isWaiting = isJoined && consumer.subscription().length === 0
      return isWaiting ? 'no topic matches topics.regex; the task is waiting for one' : null
    }
    const missing = consumer.missingTopics()
    return missing.length === 0 ? null : `topics do not exist: [${missing.join(', ')}]; the task is waiting for them`
  }

  /**
   * Pauses the partitions while a batch is pending or the task is paused. Polls then return no
   * records, but keep the consumer in its group.
   */
  #pauseOrResume(): void {
    const { consumer, context } = this.#parts
    const hold = this.#paused || !this.#deliveries.empty
    const own = consumer.assignment().filter(p => !context.isPaused(p))
    if (own.length === 0) return
    if (hold) consumer.pause(own)
    else if (consumer.paused().length > 0) consumer.resume(own)
  }

  #pollTimeout(): number {
    const now = Date.now()
    const retryAt = this.#retry.phase === 'scheduled' && !this.#paused ? this.#retry.at : Number.POSITIVE_INFINITY
    return Math.max(0, Math.min(this.#nextCommit - now, retryAt - now, POLL_MS))
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
        if (!(await this.#put(chunk))) return
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

  /**
   * Puts a batch, and returns whether the sink accepted it. If the error is retriable, schedules a
   * retry unless the task is stopping. Throws any other error.
   */
  async #put(chunk: readonly Delivery[]): Promise<boolean> {
    const { task, metrics, context, logger, errant } = this.#parts
    metrics.stages.enter('put')
    const startedAt = performance.now()
    try {
      const records = chunk.map(d => d.record)
      const report = (message: string | null) => this.#parts.onDegraded(message, null)
      await reportingSlowCall(`put of ${chunk.length} records`, () => task.put(records), report)
      errant?.throwIfFailed()
    } catch (error) {
      if (!isRetriable(error)) throw error
      if (this.#signal.aborted) {
        logger.debug(`put was cancelled: ${messageOf(error)}`)
        return false
      }
      const maxMs = this.#parts.policy.config['errors.retry.delay.max.ms']
      const delayMs = Math.min(this.#retry.phase === 'none' ? RETRY_MIN_MS : this.#retry.delayMs * 2, maxMs)
      const timeout = context.takeTimeout() ?? delayMs
      const at = Date.now() + timeout
      this.#retry = { phase: 'scheduled', at, delayMs }
      metrics.retries++
      logger.warn(`put of ${chunk.length} records failed, retrying in ${timeout} ms: ${messageOf(error)}`)
      this.#parts.onDegraded(messageOf(error), at)
      return false
    }
    if (this.#retry.phase !== 'none') this.#parts.onDegraded(null, null)
    this.#retry = NO_RETRY
    metrics.recordsWritten += chunk.length
    metrics.batch(chunk.length, startedAt)
    return true
  }

  async #commit(partitions?: readonly TopicPartition[], ending = false): Promise<void> {
    const { task, consumer, metrics, logger, queue, errant } = this.#parts
    this.#nextCommit = Date.now() + this.#parts.offsetFlushIntervalMs
    // A rebalance commits offsets during a poll of the consumer, so the previous stage is restored
    // below.
    const before = metrics.stages.activity
    metrics.stages.enter('commit')
    const startedAt = metrics.commitStarted()
    // preCommit is called even if there is no offset to commit, because a sink may use the call to
    // flush records.
    const report = (message: string | null) => this.#parts.onDegraded(message, null)
    const offsets = this.#offsets.delivered(partitions)
    const returned = await reportingSlowCall('preCommit', () => task.preCommit(offsets), report)
    const fault = offsetsFault(returned)
    if (fault) throw errors.create('MR_TASK_PRE_COMMIT', { what: fault })
    errant?.throwIfFailed()
    // As in Connect, a task need not await its reports. Therefore the commit waits for them here.
    await queue?.settled()
    const { commit, beyond } = this.#offsets.toCommit(returned)
    for (const o of beyond) {
      logger.warn(
        `Ignored the offset ${o.topic}-${o.partition}@${o.offset}, which was never delivered but is in the result of preCommit`,
      )
    }
    if (commit.length > 0) {
      try {
        await consumer.commit(commit)
        this.#offsets.committed(commit)
        metrics.commitSucceeded(startedAt)
      } catch (error) {
        metrics.offsetCommitFailures++
        const next = ending ? 'records since the last commit will be delivered again' : 'the commit will be retried'
        logger.warn(`Failed to commit offsets, ${next}: ${messageOf(error)}`)
      }
    }
    metrics.stages.enter(before === 'consume' ? before : null)
  }

  #listener(): RebalanceListener {
    const guarded = (run: (partitions: readonly TopicPartition[]) => Promise<void>) => {
      return async (partitions: readonly TopicPartition[]): Promise<void> => {
        if (partitions.length === 0 || this.#stopping) return
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
      if (this.#deliveries.empty && this.#retry.phase === 'scheduled')
        this.#retry = { phase: 'pending', delayMs: this.#retry.delayMs }
    }
  }
}

/**
 * Returns whether an error or one of its causes is a DataError. Compares the names, because a
 * plugin may have its own copy of the class.
 */
function isDataError(error: unknown): boolean {
  for (let at = error, depth = 0; at instanceof Error && depth < 10; at = at.cause, depth++) {
    if (at.name === 'DataError') return true
  }
  return false
}
