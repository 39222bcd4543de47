import { setTimeout as sleep } from 'node:timers/promises'
import { isRetriable, type Logger, messageOf, type SinkRecord, type TopicPartition } from '../../core/connect/index.ts'
import { BulkQueue } from './bulk-queue.ts'
import { answersOf, type BulkItem, documentOf, halves, type Outcome, outcomeOf, toSendAgain } from './bulk-request.ts'
import { errors } from './errors.ts'
import { type Answer, type ElasticsearchHttp, reasonOf, wasCutShort } from './http.ts'
import type { PendingOffsets } from './pending-offsets.ts'
import type { Settings } from './settings.ts'
import { errorFor, type Targets } from './targets.ts'

const BULK = '/_bulk?filter_path=errors,error,items.*.status,items.*.error'
const NDJSON = 'application/x-ndjson'
const TOO_LARGE = 'it is larger than http.max_content_length, or than what a proxy on the way takes'
const MAX_BACKOFF_MS = 60_000
/** The longest that a timer can be. */
const MAX_TIMER_MS = 2 ** 31 - 1

/** What to do with a document that is refused for good. Rejects when the task is to fail. */
export type OnRefused = (record: SinkRecord, error: Error) => Promise<void>

/**
 * Sends items in bulk, several requests at a time. What it has taken it keeps until it is written or refused for good: while
 * Elasticsearch is away it goes on trying, and `failure` says so.
 *
 * Order by document is kept: by external versions, and where there are none by never having one document in two requests at a
 * time. Requests that must be sent again are sent one at a time, the oldest first, and no new one before them: this is also what
 * an overloaded cluster needs.
 */
export class BulkWriter {
  readonly #http: ElasticsearchHttp
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
  /** Requests under way, by their number, from the first attempt until all of their items are done with. */
  readonly #runs = new Map<number, Promise<void>>()
  /** Those of them that have to be sent again. */
  readonly #troubled = new Set<number>()
  readonly #sending = new Set<Promise<Answer>>()
  /** Deletes that came through while an older request is still under way: Elasticsearch forgets their versions after a minute. */
  readonly #deleted = new Map<string, { readonly version: bigint; readonly run: number }>()
  #linger: NodeJS.Timeout | null = null
  #changed = Promise.withResolvers<void>()
  #stalled: Error | null = null
  #fatal: Error | null = null

  constructor(parts: {
    http: ElasticsearchHttp
    settings: Settings
    targets: Targets
    pending: PendingOffsets
    onRefused: OnRefused
    logger: Logger
  }) {
    this.#http = parts.http
    this.#settings = parts.settings
    this.#targets = parts.targets
    this.#pending = parts.pending
    this.#onRefused = parts.onRefused
    this.#logger = parts.logger
    this.#queue = new BulkQueue(parts.settings.raw['batch.size'], parts.settings.raw['bulk.size.bytes'])
  }

  /** Why nothing more can be taken: a fault that needs a hand, or (retriable) a cluster that is away at present. Else null. */
  get failure(): Error | null {
    return this.#fatal ?? this.#stalled
  }

  /** Takes an item. See `until` for room. */
  add(item: BulkItem): void {
    this.#queue.add(item)
    this.#held++
    this.#heldBytes += item.bytes
    this.#dispatch()
    this.#linger ??= setTimeout(() => this.flush(), this.#settings.raw['linger.ms'])
  }

  /** Sends what waits for its linger, as soon as a request may be sent. */
  flush(): void {
    if (this.#linger) clearTimeout(this.#linger)
    this.#linger = null
    this.#queue.makeDue()
    this.#dispatch()
  }

  /** Resolves to true when no more than this is held, to false after `timeoutMs`, when it has failed or when the signal aborts. */
  async until(
    most: { readonly records: number; readonly bytes: number },
    timeoutMs: number,
    signal: AbortSignal = this.#stop.signal,
  ): Promise<boolean> {
    const isRoom = () => this.#held <= most.records && this.#heldBytes <= most.bytes
    if (isRoom()) return true
    this.flush()
    let isOver = signal.aborted
    const over = Promise.withResolvers<void>()
    const end = () => {
      isOver = true
      over.resolve()
    }
    const timer = setTimeout(end, Math.min(timeoutMs, MAX_TIMER_MS))
    signal.addEventListener('abort', end)
    try {
      while (!isRoom()) {
        if (this.failure || isOver) return false
        await Promise.race([this.#changed.promise, over.promise])
      }
      return true
    } finally {
      clearTimeout(timer)
      signal.removeEventListener('abort', end)
    }
  }

  /**
   * Lets go of partitions that are no longer ours. What is on the wire is waited for, at most `timeoutMs`, so that it does not
   * arrive after what their next owner writes.
   */
  async drop(partitions: readonly TopicPartition[], timeoutMs: number): Promise<void> {
    this.#pending.forget(partitions)
    for (const item of this.#queue.remove(i => i.slot.partition.gone)) this.#finish(item)
    this.#wake()
    if (this.#sending.size === 0) return
    const late = new AbortController()
    const tooLong = sleep(timeoutMs, undefined, { signal: late.signal }).catch(() => undefined)
    await Promise.race([Promise.allSettled(this.#sending), tooLong])
    late.abort()
  }

  /** Drops what is held; its offsets stay uncommitted. */
  async close(): Promise<void> {
    if (this.#linger) clearTimeout(this.#linger)
    this.#stop.abort(new Error('the task stops'))
    this.#wake()
    await Promise.allSettled(this.#runs.values())
  }

  #wake(): void {
    this.#changed.resolve()
    this.#changed = Promise.withResolvers()
  }

  #dispatch(): void {
    if (this.#fatal || this.#stop.signal.aborted) return
    while (this.#troubled.size === 0 && this.#runs.size < this.#settings.raw['max.in.flight.requests']) {
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
    this.#troubled.delete(run)
    this.#queue.release(items)
    if (this.#troubled.size === 0) this.#recover()
    const oldest = this.#runs.keys().next().value ?? Number.POSITIVE_INFINITY
    for (const [document, by] of this.#deleted) if (by.run < oldest) this.#deleted.delete(document)
    this.#wake()
    this.#dispatch()
  }

  /** Sends items until each is done with. Throws what needs a hand; tries again for ever what does not. */
  async #deliver(run: number, items: readonly BulkItem[], before: number): Promise<void> {
    let left = items
    for (let attempt = before; ; attempt++) {
      left = left.filter(item => this.#isWanted(item))
      if (left.length === 0) return
      let why: Error
      let isTooMuch = false
      try {
        const answer = await this.#send(left)
        if (answer.status >= 300) {
          if (await this.#isolate(run, left, answer)) return
          throw errorFor('POST', '/_bulk', answer, this.#http.shown, left[0]!.index)
        }
        const { again, refusal } = await this.#settle(run, left, answer)
        if (again.length === 0) return
        if (again.length < left.length) attempt = 0
        left = again
        why = errors.create('MR_ES_BUSY', { count: again.length, attempts: attempt + 1, ...refusal })
      } catch (error) {
        if (this.#stop.signal.aborted || !isRetriable(error)) throw error
        why = error as Error
        isTooMuch = left.length > 1 && wasCutShort(error)
      }
      this.#troubled.add(run)
      if (attempt >= this.#settings.raw['max.retries'] && !this.#stalled) this.#stall(why)
      await this.#backOff(attempt)
      await this.#turnOf(run)
      if (!isTooMuch) continue
      for (const half of halves(left)) await this.#deliver(run, half, attempt + 1)
      return
    }
  }

  async #send(items: readonly BulkItem[]): Promise<Answer> {
    const { signal } = this.#stop
    signal.throwIfAborted()
    const sending = this.#http.send('POST', BULK, items.map(i => i.lines).join(''), NDJSON, signal)
    this.#sending.add(sending)
    try {
      return await sending
    } finally {
      this.#sending.delete(sending)
    }
  }

  #stall(why: Error): void {
    this.#logger.warn(messageOf(why))
    this.#stalled = why
    this.#wake()
  }

  #recover(): void {
    if (!this.#stalled) return
    this.#logger.info('Elasticsearch takes documents again')
    this.#stalled = null
  }

  async #backOff(attempt: number): Promise<void> {
    const most = Math.min(this.#settings.raw['retry.backoff.ms'] * 2 ** Math.min(attempt, 20), MAX_BACKOFF_MS)
    await sleep(most / 2 + (Math.random() * most) / 2, undefined, { signal: this.#stop.signal })
  }

  /** Resolves when no older request has to be sent again. */
  async #turnOf(run: number): Promise<void> {
    while (Math.min(...this.#troubled) < run) {
      this.#stop.signal.throwIfAborted()
      await this.#changed.promise
    }
  }

  /** A whole request refused for its size or content: its halves one after the other find the item. False: not such a refusal. */
  async #isolate(run: number, items: readonly BulkItem[], answer: Answer): Promise<boolean> {
    if (answer.status !== 413 && answer.status !== 400) return false
    if (items.length === 1) {
      await this.#refuse(items[0]!, answer.status, answer.status === 413 ? TOO_LARGE : reasonOf(answer.body))
      return true
    }
    if (answer.status === 413) this.#queue.limitBytes(items.reduce((sum, i) => sum + i.bytes, 0) / 2)
    for (const half of halves(items)) await this.#deliver(run, half, 0)
    return true
  }

  /** Takes the items off that are done with; returns those to be sent again. */
  async #settle(
    run: number,
    items: readonly BulkItem[],
    { body }: Answer,
  ): Promise<{ again: readonly BulkItem[]; refusal: { status: number; cause: string } }> {
    const answers = answersOf(body)
    const outcomes = items.map((item, n) => outcomeOf(item, answers[n]))
    const retry = new Set<BulkItem>()
    const gone = new Set<BulkItem>()
    let refusal: { status: number; cause: string } = { status: 0, cause: '' }
    for (const [n, outcome] of outcomes.entries()) {
      const item = items[n]!
      if (outcome.kind === 'forbidden') throw this.#forbidden(item, outcome)
      if (outcome.kind === 'done' && item.op === 'delete') this.#remember(run, item, answers[n]!.status)
      if (outcome.kind !== 'retry') continue
      retry.add(item)
      refusal = outcome
      if (outcome.indexGone) gone.add(item)
    }
    for (const item of gone) this.#targets.forget(item.index)
    for (const item of gone) await this.#targets.prepare(item.record, this.#stop.signal)
    const again = toSendAgain(items, retry)
    const kept = new Set(again)
    for (const [n, outcome] of outcomes.entries()) {
      const item = items[n]!
      if (kept.has(item)) continue
      if (outcome.kind === 'refused') await this.#refuse(item, outcome.status, outcome.cause)
      else this.#finish(item)
    }
    if (again.length < items.length) this.#recover()
    this.#wake()
    return { again, refusal }
  }

  #forbidden(item: BulkItem, { status, cause }: Extract<Outcome, { kind: 'forbidden' }>): Error {
    return errors.create('MR_ES_AUTH', { url: this.#http.shown, status, cause, index: item.index })
  }

  async #refuse(item: BulkItem, status: number, cause: string): Promise<void> {
    const { originalTopic: topic, originalPartition: partition, originalOffset: offset } = item.record
    const { id, index } = item
    const place = { id, index, topic, partition, offset }
    await this.#onRefused(item.record, errors.create('MR_ES_MALFORMED', { ...place, status, cause }))
    this.#finish(item)
  }

  #remember(run: number, item: BulkItem, status: number): void {
    // 409: the document is newer than this delete
    if (item.version === null || status === 409) return
    const document = documentOf(item)
    const version = BigInt(item.version)
    if ((this.#deleted.get(document)?.version ?? -1n) < version) this.#deleted.set(document, { version, run })
  }

  /** Whether an item is still to be written: not where its partition went, or where its document was deleted since. */
  #isWanted(item: BulkItem): boolean {
    const deleted = this.#deleted.size > 0 && item.version !== null ? this.#deleted.get(documentOf(item)) : undefined
    const isObsolete = deleted !== undefined && deleted.version >= BigInt(item.version!)
    if (!item.slot.partition.gone && !isObsolete) return true
    this.#finish(item)
    return false
  }

  #finish(item: BulkItem): void {
    this.#pending.finish(item.slot)
    this.#held--
    this.#heldBytes -= item.bytes
  }
}
