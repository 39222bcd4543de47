import { randomUUID } from 'node:crypto'
import {
  backoffMs,
  isRetriable,
  type Logger,
  messageOf,
  orAbort,
  Signal,
  type SinkRecord,
  sleep,
  type TopicPartition,
  timeLimit,
  waitUntil,
} from 'millrace/connect'
import { type Answer, causeOf, isOverLimit, reasonOf } from './answer.ts'
import { BulkQueue } from './bulk-queue.ts'
import { type BulkItem, bodyOf, bytesOf, halves } from './bulk-request.ts'
import { type ElasticsearchClient, wasCutShort } from './client.ts'
import { type Decision, decide, probedOf, type Refused, type Sent } from './decision.ts'
import { errors } from './errors.ts'
import { errorFor, isRefusedLogin, itemError, type Place } from './failures.ts'
import { itemAnswersOf, probeOf, takesDocuments } from './outcome.ts'
import type { PendingOffsets } from './pending-offsets.ts'
import { RecentDeletes } from './recent-deletes.ts'
import type { Settings } from './settings.ts'
import type { Targets } from './targets.ts'

const BULK = '/_bulk?filter_path=errors,error,items.*.status,items.*.error'
const NO_ITEMS: ReadonlySet<BulkItem> = new Set()
/** The reason in the error for a 413 response, because such a response names no reason. */
const TOO_LARGE = 'it exceeds http.max_content_length, or the limit of a proxy'
const MAX_BACKOFF_MS = 10_000

/**
 * The result of `#isolate`. `suspect`: a single item was rejected, and the probe after it was
 * accepted. `unrelated`: the request was not rejected for its size or content.
 */
type Isolated = 'done' | 'suspect' | 'unrelated'

/** Handles a document that was rejected permanently. The promise rejects if the task must fail. */
export type OnRefused = (record: SinkRecord, error: Error) => Promise<void>

/**
 * Sends items in bulk, with several requests in flight. Keeps each item until it is written or
 * rejected permanently. While Elasticsearch is unavailable, the writer retries, and `failure` is
 * the cause.
 *
 * The writes of a document keep their order. Either external versions ensure this, or the document
 * is never in two requests at a time. Requests are retried one at a time, the oldest first, and new
 * requests wait for the retries. The waiting also relieves an overloaded cluster.
 */
export class BulkWriter {
  readonly #client: ElasticsearchClient
  readonly #settings: Settings
  readonly #targets: Targets
  readonly #pending: PendingOffsets
  readonly #onRefused: OnRefused
  readonly #logger: Logger
  readonly #stop = new AbortController()
  readonly #queue: BulkQueue
  #held = 0
  #heldBytes = 0
  #lastRun = 0
  /**
   * The requests in flight by number, from the first attempt until all their items are finished.
   */
  readonly #runs = new Map<number, Promise<void>>()
  /** The requests in flight that must be retried. */
  readonly #retrying = new Set<number>()
  readonly #sending = new Set<Promise<Answer>>()
  readonly #deletes = new RecentDeletes()
  #linger: NodeJS.Timeout | null = null
  readonly #changed = new Signal()
  #stalled: Error | null = null
  #fatal: Error | null = null

  constructor(parts: {
    client: ElasticsearchClient
    settings: Settings
    targets: Targets
    pending: PendingOffsets
    onRefused: OnRefused
    logger: Logger
  }) {
    this.#client = parts.client
    this.#settings = parts.settings
    this.#targets = parts.targets
    this.#pending = parts.pending
    this.#onRefused = parts.onRefused
    this.#logger = parts.logger
    this.#queue = new BulkQueue(parts.settings.raw['batch.size'], parts.settings.raw['bulk.size.bytes'])
  }

  /**
   * Why no more items are accepted: a fatal error, or a retriable error while Elasticsearch is
   * unavailable. Null if items are accepted.
   */
  get failure(): Error | null {
    return this.#fatal ?? this.#stalled
  }

  /** Adds an item. Wait for space with `until` first. */
  add(item: BulkItem): void {
    this.#queue.add(item)
    this.#held++
    this.#heldBytes += item.bytes
    this.#dispatch()
    this.#linger ??= setTimeout(() => this.flush(), this.#settings.raw['linger.ms'])
  }

  /** Sends the queued items without waiting for `linger.ms`. */
  flush(): void {
    if (this.#linger) clearTimeout(this.#linger)
    this.#linger = null
    this.#queue.makeDue()
    this.#dispatch()
  }

  /**
   * Waits until the writer contains at most the records and bytes in `most`. Returns whether this
   * was reached before `timeoutMs`, a failure, or an abort of the signal.
   */
  async until(
    most: { readonly records: number; readonly bytes: number },
    timeoutMs: number,
    signal: AbortSignal = this.#stop.signal,
  ): Promise<boolean> {
    const isRoom = () => this.#held <= most.records && this.#heldBytes <= most.bytes
    if (isRoom()) return true
    this.flush()
    await waitUntil(() => isRoom() || this.failure !== null, this.#changed, timeoutMs, signal)
    return isRoom()
  }

  /**
   * Drops the items of revoked partitions. Waits up to `timeoutMs` for the requests in flight, so
   * that they do not arrive after the writes of the next owner.
   */
  async drop(partitions: readonly TopicPartition[], timeoutMs: number): Promise<void> {
    this.#pending.drop(partitions)
    for (const item of this.#queue.remove(i => i.slot.partition.gone)) this.#finish(item)
    this.#changed.notify()
    if (this.#sending.size === 0) return
    const limit = timeLimit(timeoutMs)
    await orAbort(Promise.allSettled(this.#sending), limit).catch((error: unknown) => {
      if (!limit.aborted) throw error
    })
  }

  /** Drops all items. Their offsets stay uncommitted. */
  async close(): Promise<void> {
    if (this.#linger) clearTimeout(this.#linger)
    this.#stop.abort(new Error('the task stops'))
    this.#changed.notify()
    await Promise.allSettled(this.#runs.values())
  }

  #dispatch(): void {
    if (this.#fatal || this.#stop.signal.aborted) return
    while (this.#retrying.size === 0 && this.#runs.size < this.#settings.raw['max.in.flight.requests']) {
      const items = this.#queue.next()
      if (!items) return
      const run = ++this.#lastRun
      this.#runs.set(run, this.#run(run, items))
    }
  }

  async #run(run: number, items: readonly BulkItem[]): Promise<void> {
    try {
      await this.#deliver(run, items, 0)
    } catch (error) {
      if (!this.#stop.signal.aborted) this.#fatal ??= error instanceof Error ? error : new Error(String(error))
    }
    this.#runs.delete(run)
    this.#retrying.delete(run)
    this.#queue.release(items)
    if (this.#retrying.size === 0) this.#recover()
    this.#deletes.prune(this.#runs.keys().next().value ?? Number.POSITIVE_INFINITY)
    this.#changed.notify()
    this.#dispatch()
  }

  /**
   * Sends items until all are done. Throws the errors that fail the task. After any other error,
   * retries without limit.
   */
  async #deliver(run: number, items: readonly BulkItem[], before: number): Promise<void> {
    let left = items
    let unclear = NO_ITEMS
    let isSuspect = false
    for (let attempt = before; ; attempt++) {
      left = left.filter(item => this.#isNeeded(item))
      if (left.length === 0) return
      let why: Error | null
      let isTooMuch = false
      try {
        const answer = await this.#send(left, unclear)
        const isAgain = attempt > before
        const wasRepeated = attempt - before >= this.#settings.raw['max.retries']
        if (answer.status >= 300) {
          const found = await this.#isolate(run, left, answer, { wasRepeated, isSuspect })
          if (found === 'done') return
          if (found === 'suspect') {
            isSuspect = true
            continue
          }
          // A smaller request may succeed where a large request does not.
          isTooMuch = answer.status === 429 && isAgain && left.length > 1
          throw this.#errorFor(answer, left[0]!)
        }
        const decision = await this.#applyAnswer(run, { items: left, unclear, wasRepeated }, answer)
        if (decision.again.length === 0) return
        const isStuck = decision.again.length === left.length
        if (!isStuck) attempt = before
        left = decision.again
        unclear = decision.unclear
        why = decision.why
        isTooMuch = left.length > 1 && (decision.isTooMuch || (decision.isBusy && isStuck && isAgain))
        for (const { record } of decision.gone) await this.#targets.prepare(record, this.#stop.signal)
      } catch (error) {
        if (this.#stop.signal.aborted || !isRetriable(error) || isRefusedLogin(error)) throw error
        why = error as Error
        isSuspect = false
        isTooMuch ||= left.length > 1 && wasCutShort(error)
      }
      this.#retrying.add(run)
      if (why) {
        if (attempt >= this.#settings.raw['max.retries']) this.#stall(why)
        await this.#backOff(attempt)
      }
      await this.#turnOf(run)
      if (!isTooMuch) continue
      for (const half of halves(left)) await this.#deliver(run, half, attempt + 1)
      return
    }
  }

  /** Sends items and, in the same request, a probe of each index that has `unclear` items. */
  async #send(items: readonly BulkItem[], unclear: ReadonlySet<BulkItem>): Promise<Answer> {
    const probes = probedOf(unclear).map(index => probeOf(index, randomUUID()))
    return this.#post(bodyOf(items, probes.join('')))
  }

  async #post(body: Buffer): Promise<Answer> {
    const { signal } = this.#stop
    signal.throwIfAborted()
    const sending = this.#client.send({ method: 'POST', path: BULK, body, isBulk: true }, signal)
    this.#sending.add(sending)
    try {
      return await sending
    } finally {
      this.#sending.delete(sending)
    }
  }

  #placeOf(item: BulkItem): Place {
    return { url: this.#client.shown, index: item.index, topic: item.record.topic }
  }

  #errorFor(answer: Answer, item: BulkItem): Error {
    return errorFor('POST', BULK, answer, this.#placeOf(item))
  }

  #stall(why: Error): void {
    if (this.#stalled?.message !== why.message) this.#logger.warn(messageOf(why))
    this.#stalled = why
    this.#changed.notify()
  }

  #recover(): void {
    if (!this.#stalled) return
    this.#logger.info('Elasticsearch accepts documents again')
    this.#stalled = null
  }

  async #backOff(attempt: number): Promise<void> {
    const first = this.#settings.raw['retry.backoff.ms']
    const delay = backoffMs(attempt, { initialMs: first, maxMs: Math.max(first, MAX_BACKOFF_MS) })
    await sleep(delay, this.#stop.signal)
  }

  /** Waits until no older request must be retried. */
  async #turnOf(run: number): Promise<void> {
    while (Math.min(...this.#retrying) < run) {
      this.#stop.signal.throwIfAborted()
      await this.#changed.next(Number.POSITIVE_INFINITY, this.#stop.signal)
    }
  }

  /**
   * Bisects a request that was rejected as a whole for its size or content, to find the item at
   * fault. Throws the error if everything is rejected. If no limit in the response shows that a
   * single item is too large, the item is refused only after this sequence: the item is rejected,
   * a probe is accepted, and the item is rejected again. One rejection is not enough, because a
   * server or gateway that rejected everything may have recovered before the probe.
   */
  async #isolate(
    run: number,
    items: readonly BulkItem[],
    answer: Answer,
    { wasRepeated, isSuspect }: { readonly wasRepeated: boolean; readonly isSuspect: boolean },
  ): Promise<Isolated> {
    const { status, body } = answer
    const bytes = bytesOf(items)
    const cause = causeOf(body)
    const isOver = status === 429 && isOverLimit(cause, bytes, wasRepeated && items.length === 1)
    const isTooLarge = status === 413 || isOver
    // A 400 response of a gateway says nothing about a document.
    if (!isTooLarge && (status !== 400 || !cause)) return 'unrelated'
    if (items.length > 1) {
      if (isTooLarge) this.#queue.limitBytes(bytes / 2)
      for (const half of halves(items)) await this.#deliver(run, half, 0)
      return 'done'
    }
    const item = items[0]!
    // If the response contains no sizes, a probe shows whether the index accepts documents.
    const obstacle = isOver ? null : await this.#obstacle(item)
    if (obstacle) throw obstacle
    if (!isOver && !isSuspect) return 'suspect'
    const words = status === 413 && !cause ? TOO_LARGE : reasonOf(body)
    await this.#refuse({ item, status, words, isTooLarge })
    this.#changed.notify()
    return 'done'
  }

  /**
   * Probes the index of an item. Returns why the probe fails. Returns null if the probe succeeds,
   * which means that the index accepts documents.
   */
  async #obstacle(item: BulkItem): Promise<Error | null> {
    const answer = await this.#post(bodyOf([], probeOf(item.index, randomUUID())))
    if (answer.status >= 300) return this.#errorFor(answer, item)
    const probe = itemAnswersOf(answer.body, 1)?.[0]
    if (!probe) return this.#unusable(answer, item)
    return takesDocuments(probe) ? null : itemError(this.#placeOf(item), probe.status, probe.error ?? {})
  }

  /** Decides about the items of a request, and finishes those that are done. Throws MR_ES_AUTH. */
  async #applyAnswer(run: number, sent: Sent, answer: Answer): Promise<Decision> {
    const { items } = sent
    const answers = itemAnswersOf(answer.body, items.length + probedOf(sent.unclear).length)
    if (!answers) throw this.#unusable(answer, items[0]!)
    const decision = decide(sent, answers, this.#client.shown)
    for (const { item, status } of decision.done) {
      if (item.op === 'delete') this.#deletes.add(run, item, status)
      this.#finish(item)
    }
    for (const refusal of decision.refused) await this.#refuse(refusal)
    if (decision.again.length < items.length) this.#recover()
    if (decision.isTooMuch) this.#queue.limitBytes(bytesOf(items) / 2)
    for (const { index } of decision.gone) this.#targets.drop(index)
    this.#changed.notify()
    if (decision.login) throw decision.login
    return decision
  }

  /** Returns the error for a response that does not contain the result of each document. */
  #unusable({ status, body }: Answer, item: BulkItem): Error {
    const { url, index, topic } = this.#placeOf(item)
    const said = typeof body === 'string' ? reasonOf(body) : 'it does not contain the result of each document'
    const cause = `status ${status}, ${said} (index ${index} of topic ${topic})`
    return errors.create('MR_ES_ANSWER', { url, method: 'POST', path: '/_bulk', cause })
  }

  async #refuse({ item, status, words: cause, isTooLarge }: Refused): Promise<void> {
    const { originalTopic: topic, originalPartition: partition, originalOffset: offset } = item.record
    const { id, index, bytes } = item
    const place = { id, index, topic, partition, offset, bytes, status, cause }
    await this.#onRefused(item.record, errors.create(isTooLarge ? 'MR_ES_TOO_LARGE' : 'MR_ES_MALFORMED', place))
    this.#finish(item)
  }

  /**
   * Whether an item must still be written. Finishes the item if its partition was revoked or its
   * document is obsolete.
   */
  #isNeeded(item: BulkItem): boolean {
    if (!item.slot.partition.gone && !this.#deletes.isObsolete(item)) return true
    this.#finish(item)
    return false
  }

  #finish(item: BulkItem): void {
    this.#pending.finish(item.slot)
    this.#held--
    this.#heldBytes -= item.bytes
  }
}
