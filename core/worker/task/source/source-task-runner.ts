import type { DeliveredBatch, DeliveryListener, Producer, ProducerRecord } from '../../../client/types.ts'
import { type BackoffOptions, backoff } from '../../../common/async/backoff.ts'
import { nextTurn } from '../../../common/async/next-turn.ts'
import { orAbort } from '../../../common/async/or-abort.ts'
import { Signal } from '../../../common/async/signal.ts'
import { sleepOrAbort } from '../../../common/async/sleep.ts'
import { isRetriable, messageOf } from '../../../common/errors/error-table.ts'
import type { Logger } from '../../../common/log.ts'
import { type CompleteSourceRecord, completeRecord, type SourceRecord } from '../../../connect/record.ts'
import type { RecordMetadata, SourceTask } from '../../../connect/source-task.ts'
import { errors } from '../errors.ts'
import { type ErrorPolicy, StageError } from '../failures/error-policy.ts'
import { kindOf, shownValue } from '../kind-of.ts'
import type { MetricsRecorder } from '../metrics/recorder.ts'
import { BatchTimes } from './batch-times.ts'
import type { OffsetStore } from './offset-store.ts'
import { headersFault } from './record-fault.ts'
import { describeSource, type SourcePlace, type SourceRecordConverter } from './source-converter.ts'
import { checkPosition, OffsetCommitter } from './source-offsets.ts'
import { SubmittedRecords } from './submitted-records.ts'
import type { TopicCreator } from './topic-creation.ts'

export interface SourceRunnerParts {
  readonly task: SourceTask
  readonly converter: SourceRecordConverter
  readonly policy: ErrorPolicy<SourcePlace>
  readonly producer: Producer
  readonly offsets: OffsetStore
  /** Creates missing topics. Null if the broker creates topics automatically. */
  readonly topics: TopicCreator | null
  readonly metrics: MetricsRecorder
  readonly logger: Logger
  /** The controller of the signal in the task's context. Aborting it stops the task. */
  readonly abort: AbortController
  readonly offsetFlushIntervalMs: number
  /** The time limit for outstanding acknowledgements when the task stops, ms. */
  readonly drainTimeoutMs: number
  onTopic(topic: string): void
  onDegraded(message: string | null, retryAt: number | null): void
}

const RETRY: BackoffOptions = { initialMs: 100, maxMs: 60_000 }

/**
 * Runs a source task. It polls, transforms, converts and sends records, and commits the offsets of
 * acknowledged records. It handles one batch at a time. While the producer's buffer or the list of
 * unacknowledged records is full, it does not call `poll`.
 */
export class SourceTaskRunner implements DeliveryListener {
  readonly #parts: SourceRunnerParts
  readonly #submitted: SubmittedRecords
  readonly #committer: OffsetCommitter
  readonly #signal: AbortSignal
  readonly #progress = new Signal()
  readonly #resumed = new Signal()
  readonly #knownTopics = new Set<string>()
  readonly #usedTopics = new Set<string>()
  /** Consecutive records usually have the same topic, so the sets are rarely searched. */
  #lastKnownTopic: string | null = null
  #lastUsedTopic: string | null = null
  readonly #batchTimes = new BatchTimes()
  #paused = false
  /** The batch that is written after the task is resumed, and when it was polled. */
  #held: { readonly count: number; readonly since: number } | null = null
  #failure: Error | null = null
  #reporting = false

  constructor(parts: SourceRunnerParts, capacity?: number) {
    this.#parts = parts
    this.#signal = parts.abort.signal
    this.#submitted = new SubmittedRecords(capacity, parts.task.commitRecords !== undefined)
    this.#committer = new OffsetCommitter(this.#submitted, parts, error => this.#fail(error))
  }

  pause(): void {
    this.#paused = true
  }

  resume(): void {
    this.#paused = false
    this.#resumed.notify()
  }

  /**
   * When the oldest unacknowledged record was polled, ms since 1970. Null if all records are
   * acknowledged.
   */
  get activeSince(): number | null {
    if (this.#submitted.outstanding > 0) return this.#batchTimes.timeOf(this.#submitted.oldest)
    return this.#held?.since ?? null
  }

  /**
   * Resolves after a requested stop, and rejects if the task fails. In both cases, `stop` of the
   * task is called first.
   */
  async run(): Promise<void> {
    this.#committer.start()
    try {
      await this.#loop()
    } catch (error) {
      if (!this.#signal.aborted) this.#fail(error)
      else this.#parts.logger.debug(`the task failed while it stopped: ${messageOf(error)}`)
    }
    await this.#finish()
    if (this.#failure) throw this.#failure
  }

  onDelivery(token: number, error: Error | null, batch: DeliveredBatch, index: number): void {
    const { metrics, task } = this.#parts
    const { topic } = batch
    if (error) {
      this.#deliveryFailed(token, error, topic)
    } else {
      metrics.recordsWritten++
      if (topic !== this.#lastUsedTopic) this.#use(topic)
      this.#submitted.done(token, task.commitRecords ? metadataOf(batch, index) : null)
    }
    this.#report()
  }

  #use(topic: string): void {
    this.#lastUsedTopic = topic
    if (this.#usedTopics.has(topic)) return
    this.#usedTopics.add(topic)
    this.#parts.onTopic(topic)
  }

  async #loop(): Promise<void> {
    while (!this.#ended) {
      const batch = await this.#poll()
      // A batch that was polled while the task is paused is written after the task is resumed.
      if (this.#paused && batch && batch.length > 0) this.#hold(batch.length)
      while (this.#paused && !this.#ended) await this.#resumed.next(Number.POSITIVE_INFINITY, this.#signal)
      this.#held = null
      if (batch && batch.length > 0) await this.#send(batch)
      // If a task always has records, its loop would consist of microtasks only and would block
      // socket I/O. This turn of the event loop prevents that.
      await nextTurn()
    }
  }

  #hold(count: number): void {
    this.#held = { count, since: Date.now() }
    this.#countActive()
  }

  #countActive(): void {
    this.#parts.metrics.recordsActive = this.#submitted.outstanding + (this.#held?.count ?? 0)
  }

  get #ended(): boolean {
    return this.#signal.aborted || this.#failure !== null
  }

  async #poll(): Promise<readonly SourceRecord[] | null> {
    const { task, metrics, logger } = this.#parts
    const delays = backoff(RETRY)
    for (;;) {
      if (this.#paused) metrics.stages.enter(null)
      while (this.#paused && !this.#ended) await this.#resumed.next(Number.POSITIVE_INFINITY, this.#signal)
      if (this.#ended) return null
      metrics.stages.enter('poll')
      const startedAt = performance.now()
      try {
        const batch = (await task.poll()) ?? null
        metrics.stages.enter(null)
        if (batch !== null) {
          const count = checkedCount(batch)
          if (batch.length > 0) metrics.batch(batch.length, startedAt)
          metrics.recordsRead += count
        }
        if (delays.attempts > 0) this.#parts.onDegraded(null, null)
        return batch
      } catch (error) {
        if (!isRetriable(error)) throw error
        if (this.#ended) return null
        const delay = delays.next()
        metrics.retries++
        logger.warn(`poll failed, retrying in ${delay} ms: ${messageOf(error)}`)
        this.#parts.onDegraded(messageOf(error), Date.now() + delay)
        await sleepOrAbort(delay, this.#signal)
      }
    }
  }

  /**
   * Converts and appends the records of a batch. Awaits only if a record cannot be appended at
   * once, because an `await` for each record would take longer than its conversion.
   */
  async #send(batch: readonly SourceRecord[]): Promise<void> {
    const { converter, metrics, producer } = this.#parts
    metrics.stages.enter('process')
    this.#batchTimes.add(this.#submitted.next, Date.now())
    for (const source of batch) {
      let record: ProducerRecord | null | undefined
      const complete = completeRecord(source)
      try {
        record = source.unwritten === undefined ? converter.convert(complete) : this.#pass(complete, source.unwritten)
      } catch (error) {
        record = await this.#recover(complete, error)
        if (this.#signal.aborted) return
      }
      // A stop can only be requested while this method awaits. Each `await` is followed by a check,
      // so the signal is not checked here.
      if (this.#failure !== null) return
      if (this.#submitted.full) {
        metrics.stages.enter('produce')
        while (this.#submitted.full) {
          await this.#progress.next(Number.POSITIVE_INFINITY, this.#signal)
          if (this.#ended) return
        }
        metrics.stages.enter('process')
      }
      const token = this.#submitted.add(source)
      if (!record) {
        if (record === null) metrics.recordsFiltered++
        this.#submitted.done(token, null)
        this.#report()
        if (source.unwritten === 'progress') void this.#committer.commit()
        continue
      }
      if (this.#isKnown(record.topic) && producer.append(record, this, token)) continue
      if (await this.#appendWhenPossible(record, token)) {
        if (this.#signal.aborted) return
        continue
      }
      this.#submitted.removeLast(token)
      return
    }
    this.#countActive()
    metrics.stages.enter(null)
  }

  /** Whether the topic is known to be writable. */
  #isKnown(topic: string): boolean {
    if (topic === this.#lastKnownTopic) return true
    if (!this.#knownTopics.has(topic)) return false
    this.#lastKnownTopic = topic
    return true
  }

  /**
   * Handles a source position for which no record is written. Throws MR_TASK_RECORD_FAILED if the
   * position contains an error and `errors.tolerance` does not allow it to be skipped.
   */
  #pass(source: CompleteSourceRecord, unwritten: 'progress' | Error): undefined {
    if (unwritten === 'progress') return undefined
    const { policy, task } = this.#parts
    if (!(unwritten instanceof Error))
      throw errors.create('MR_TASK_RECORD', {
        record: describeSource(source),
        fault: `its field unwritten is ${shownValue(unwritten)}, not "progress" or an Error`,
      })
    policy.reject(source, new StageError('TASK_POLL', task.constructor.name, unwritten))
    return undefined
  }

  /**
   * Appends a record. First creates its topic and waits for space in the producer, if necessary.
   * Returns false if the task ended before the record was appended.
   */
  async #appendWhenPossible(record: ProducerRecord, token: number): Promise<boolean> {
    const { producer, metrics } = this.#parts
    metrics.stages.enter('produce')
    if (!this.#isKnown(record.topic)) {
      try {
        if (!(await this.#awaitTopic(record.topic))) return false
      } catch (error) {
        this.#deliveryFailed(token, error instanceof Error ? error : new Error(messageOf(error)), record.topic)
        this.#report()
        metrics.stages.enter('process')
        return true
      }
      this.#knownTopics.add(record.topic)
    }
    while (!producer.append(record, this, token)) {
      await producer.room(this.#signal)
      if (this.#ended) return false
    }
    metrics.stages.enter('process')
    return true
  }

  /**
   * Waits until a topic is writable. To keep the order, no later record is appended in the
   * meantime. As in Connect, retriable errors are retried. Returns false if the task ended during
   * the wait.
   */
  async #awaitTopic(topic: string): Promise<boolean> {
    const { producer, topics, metrics, logger } = this.#parts
    const delays = backoff(RETRY)
    for (;;) {
      try {
        await topics?.ensure(topic)
        await orAbort(producer.partitionsFor(topic), this.#signal)
        if (delays.attempts > 0) this.#parts.onDegraded(null, null)
        return !this.#ended
      } catch (error) {
        if (this.#ended) return false
        if (!isRetriable(error)) throw error
        const delay = delays.next()
        metrics.retries++
        logger.warn(`cannot write to topic ${topic}, retrying in ${delay} ms: ${messageOf(error)}`)
        this.#parts.onDegraded(messageOf(error), Date.now() + delay)
        await sleepOrAbort(delay, this.#signal)
        if (this.#ended) return false
      }
    }
  }

  async #recover(source: CompleteSourceRecord, error: unknown): Promise<ProducerRecord | null | undefined> {
    if (!(error instanceof StageError)) throw error
    const { policy, converter, metrics } = this.#parts
    metrics.stages.enter(error.stage === 'TRANSFORMATION' ? 'transform' : 'convert')
    const record = await policy.recover(source, error, () => converter.convert(source))
    metrics.stages.enter('process')
    return record
  }

  /**
   * Skips a record that was not written, or fails the task. A record whose error is retriable is
   * never skipped, because it can still be written later.
   */
  #deliveryFailed(token: number, error: Error, topic: string): void {
    // After the task has failed, no record is skipped, because unsent records are read again from
    // the source.
    if (this.#failure) return
    const found = this.#submitted.find(token)
    if (!found) return
    const record = { topic, sourcePartition: found.partition, sourceOffset: found.offset }
    if (this.#parts.policy.tolerant && !isRetriable(error)) {
      this.#parts.policy.reject(record, new StageError('KAFKA_PRODUCE', 'Producer', error))
      this.#submitted.done(token, null)
      return
    }
    const params = { record: describeSource(record), cause: messageOf(error) }
    const failed = errors.create('MR_TASK_PRODUCE_FAILED', params, { cause: error })
    this.#fail(isRetriable(error) ? Object.assign(failed, { retriable: true }) : failed)
    // The failed record is read again later. If later records were sent now, the order would
    // change.
    this.#parts.producer.abortUnsent(token)
  }

  #fail(error: unknown): void {
    if (this.#failure) return
    this.#failure = error instanceof Error ? error : new Error(messageOf(error))
    this.#parts.metrics.failed()
    this.#parts.abort.abort()
    this.#progress.notify()
    this.#resumed.notify()
  }

  // Reports progress once per batch of acknowledgements instead of once per record.
  #report(): void {
    if (this.#reporting) return
    this.#reporting = true
    queueMicrotask(() => {
      this.#reporting = false
      this.#progress.notify()
      this.#countActive()
      const { records, metadata } = this.#submitted.takeCompleted()
      if (records.length === 0 || !this.#parts.task.commitRecords) return
      try {
        const returned: unknown = this.#parts.task.commitRecords(records, metadata)
        // An error of an async commitRecords would end the thread.
        if (returned instanceof Promise) returned.catch((error: unknown) => this.#fail(error))
      } catch (error) {
        this.#fail(error)
      }
    })
  }

  async #finish(): Promise<void> {
    const { task, producer, logger, drainTimeoutMs } = this.#parts
    try {
      await producer.flush(AbortSignal.timeout(drainTimeoutMs))
    } catch (error) {
      logger.warn(
        `Some records were not acknowledged before the task stopped; they will be read again: ${messageOf(error)}`,
      )
    }
    await Promise.resolve()
    await this.#committer.stop()
    try {
      await task.stop()
    } catch (error) {
      logger.warn('stop of the task failed', error)
    }
  }
}

/**
 * Returns the number of records in a batch. Positions without a record are not counted. Throws if
 * the batch is not a list of records, or if the last record's position cannot be stored. The other
 * positions are not checked here, because the committer checks each position that it stores.
 */
function checkedCount(batch: readonly SourceRecord[]): number {
  if (!Array.isArray(batch)) throw errors.create('MR_TASK_BATCH', { what: kindOf(batch) })
  let count = 0
  for (let i = 0; i < batch.length; i++) {
    const record: unknown = batch[i]
    if (typeof record !== 'object' || record === null || Array.isArray(record))
      throw errors.create('MR_TASK_BATCH', { what: `a list with ${kindOf(record)} at index ${i}` })
    if ((record as SourceRecord).unwritten !== 'progress') count++
    const { headers } = record as Partial<SourceRecord>
    if (headers && !Array.isArray(headers))
      throw errors.create('MR_TASK_BATCH', { what: `a record at index ${i} whose ${headersFault(headers)},` })
  }
  if (batch.length > 0) checkPosition(batch[batch.length - 1])
  return count
}

function metadataOf(batch: DeliveredBatch, index: number): RecordMetadata {
  const { topic, partition } = batch
  return { topic, partition, offset: batch.offsetOf(index), timestamp: batch.timestampOf(index) }
}
