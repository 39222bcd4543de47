import { setTimeout as sleep } from 'node:timers/promises'
import { isRetriable, type Logger, messageOf, type SinkRecord } from '../../core/connect/index.ts'
import { answersOf, type BulkItem, halves, outcomeOf, toSendAgain } from './bulk-request.ts'
import { errors } from './errors.ts'
import { type Answer, type ElasticsearchHttp, reasonOf } from './http.ts'
import type { PendingOffsets } from './pending-offsets.ts'
import type { Settings } from './settings.ts'
import { errorFor, type Targets } from './targets.ts'

const BULK = '/_bulk?filter_path=errors,error,items.*.status,items.*.error'
const NDJSON = 'application/x-ndjson'
const MAX_BACKOFF_MS = 60_000

/** What to do with a document that is refused for good. Rejects when the task is to fail. */
export type OnRefused = (record: SinkRecord, error: Error) => Promise<void>

/**
 * Collects items into bulk requests and sends several at a time. What it has taken it keeps until it is written or refused for
 * good: while Elasticsearch is away it goes on trying, and `failure` says so. Order by document is kept: by external versions,
 * and where there are none by never having one document in two requests at a time.
 */
export class BulkWriter {
  readonly #http: ElasticsearchHttp
  readonly #settings: Settings
  readonly #targets: Targets
  readonly #pending: PendingOffsets
  readonly #onRefused: OnRefused
  readonly #logger: Logger
  readonly #stop = new AbortController()
  #filling: BulkItem[] = []
  #fillingBytes = 0
  #sealed: BulkItem[][] = []
  #inFlight = 0
  #held = 0
  readonly #busyDocuments = new Map<string, number>()
  readonly #running = new Set<Promise<void>>()
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
  }

  /** Why nothing more can be taken: a fault that needs a hand, or (retriable) a cluster that is away at present. Else null. */
  get failure(): Error | null {
    return this.#fatal ?? this.#stalled
  }

  /** Items that are taken and not done with. */
  get held(): number {
    return this.#held
  }

  /** Takes an item. Ask `room` first. */
  add(item: BulkItem): void {
    const { raw } = this.#settings
    const limit = raw['bulk.size.bytes']
    if (this.#filling.length > 0 && limit > 0 && this.#fillingBytes + item.bytes > limit) this.seal()
    this.#filling.push(item)
    this.#fillingBytes += item.bytes
    this.#held++
    if (this.#filling.length >= raw['batch.size']) this.seal()
    else this.#linger ??= setTimeout(() => this.seal(), raw['linger.ms'])
  }

  /** Sends what waits for its linger. */
  seal(): void {
    if (this.#linger) clearTimeout(this.#linger)
    this.#linger = null
    if (this.#filling.length === 0) return
    this.#sealed.push(this.#filling)
    this.#filling = []
    this.#fillingBytes = 0
    this.#dispatch()
  }

  /** Resolves to true when `count` or fewer items are held, to false after `timeoutMs` or when it has failed. */
  async until(count: number, timeoutMs: number, signal: AbortSignal): Promise<boolean> {
    const end = Date.now() + timeoutMs
    while (this.#held > count) {
      if (this.failure || signal.aborted) return false
      const left = end - Date.now()
      if (left <= 0) return false
      const wait = new AbortController()
      const timer = sleep(left, undefined, { signal: AbortSignal.any([signal, wait.signal]) }).catch(() => undefined)
      await Promise.race([this.#changed.promise, timer])
      wait.abort()
    }
    return true
  }

  /** Drops what is held; its offsets stay uncommitted. */
  async close(): Promise<void> {
    if (this.#linger) clearTimeout(this.#linger)
    this.#stop.abort(new Error('the task stops'))
    this.#sealed = []
    await Promise.allSettled(this.#running)
  }

  #wake(): void {
    this.#changed.resolve()
    this.#changed = Promise.withResolvers()
  }

  #dispatch(): void {
    while (this.#sealed.length > 0 && this.#inFlight < this.#settings.raw['max.in.flight.requests']) {
      const next = this.#sealed[0]!
      if (!this.#claim(next)) return
      this.#sealed.shift()
      this.#inFlight++
      const run = this.#run(next).finally(() => {
        this.#running.delete(run)
        this.#inFlight--
        this.#release(next)
        this.#wake()
        if (!this.#fatal && !this.#stop.signal.aborted) this.#dispatch()
      })
      this.#running.add(run)
    }
  }

  /** Marks the documents that only their order protects; false while one of them is in another request. */
  #claim(items: readonly BulkItem[]): boolean {
    const documents = items.filter(i => !i.ordered).map(i => `${i.index}\n${i.id}`)
    if (documents.some(d => this.#busyDocuments.has(d))) return false
    for (const d of documents) this.#busyDocuments.set(d, (this.#busyDocuments.get(d) ?? 0) + 1)
    return true
  }

  #release(items: readonly BulkItem[]): void {
    for (const i of items) if (!i.ordered) this.#busyDocuments.delete(`${i.index}\n${i.id}`)
  }

  async #run(items: readonly BulkItem[]): Promise<void> {
    try {
      await this.#deliver(items)
    } catch (error) {
      if (this.#stop.signal.aborted) return
      this.#fatal ??= error instanceof Error ? error : new Error(String(error))
    }
  }

  /** Sends items until each is done with. Throws what needs a hand; tries again for ever what does not. */
  async #deliver(items: readonly BulkItem[]): Promise<void> {
    let left = items
    for (let attempt = 0; left.length > 0; attempt++) {
      this.#stop.signal.throwIfAborted()
      let again: readonly BulkItem[] = left
      let why: Error
      try {
        const answer = await this.#http.send('POST', BULK, left.map(i => i.lines).join(''), NDJSON, this.#stop.signal)
        if (answer.status >= 400) {
          if (await this.#isolate(left, answer)) return
          throw errorFor('POST', '/_bulk', answer, this.#http.shown, left[0]!.index)
        }
        again = await this.#settle(left, answer)
        if (again.length === 0) break
        if (again.length < left.length) attempt = 0
        why = this.#lastRefusal(again.length, attempt)
      } catch (error) {
        if (this.#stop.signal.aborted || !isRetriable(error)) throw error
        why = error as Error
      }
      left = again
      if (attempt >= this.#settings.raw['max.retries'] && !this.#stalled) {
        this.#logger.warn(messageOf(why))
        this.#stalled = why
        this.#wake()
      }
      await this.#backOff(attempt)
    }
    if (this.#stalled) {
      this.#logger.info(`Elasticsearch takes documents again`)
      this.#stalled = null
    }
  }

  #refusal: { status: number; cause: string } = { status: 0, cause: '' }

  #lastRefusal(count: number, attempts: number): Error {
    return errors.create('MR_ES_BUSY', { count, attempts: attempts + 1, ...this.#refusal })
  }

  async #backOff(attempt: number): Promise<void> {
    const most = Math.min(this.#settings.raw['retry.backoff.ms'] * 2 ** Math.min(attempt, 20), MAX_BACKOFF_MS)
    await sleep(most / 2 + (Math.random() * most) / 2, undefined, { signal: this.#stop.signal })
  }

  /** A whole request refused for its size or content: its halves one after the other find the item. False: not such a refusal. */
  async #isolate(items: readonly BulkItem[], answer: Answer): Promise<boolean> {
    if (answer.status !== 413 && answer.status !== 400) return false
    if (items.length > 1) {
      for (const half of halves(items)) await this.#deliver(half)
      return true
    }
    await this.#refuse(items[0]!, answer.status, reasonOf(answer.body))
    return true
  }

  /** Finishes what is done or refused; the items that are to be sent again. */
  async #settle(items: readonly BulkItem[], answer: Answer): Promise<BulkItem[]> {
    if ((answer.body as { errors?: boolean } | null)?.errors === false) {
      for (const item of items) this.#finish(item)
      this.#wake()
      return []
    }
    const answers = answersOf(answer.body)
    const outcomes = items.map((item, n) => outcomeOf(item, answers[n]))
    const retry = new Set<BulkItem>()
    const gone = new Set<BulkItem>()
    for (const [n, outcome] of outcomes.entries()) {
      const item = items[n]!
      if (outcome.kind === 'forbidden') {
        throw errors.create('MR_ES_AUTH', {
          url: this.#http.shown,
          status: outcome.status,
          cause: outcome.cause,
          index: item.index,
        })
      }
      if (outcome.kind !== 'retry') continue
      retry.add(item)
      this.#refusal = outcome
      if (outcome.indexGone) gone.add(item)
    }
    for (const item of gone) this.#targets.forget(item.index)
    for (const item of gone) await this.#targets.prepare(item.record.topic, item.record.valueSchema, this.#stop.signal)
    const again = toSendAgain(items, retry)
    const kept = new Set(again)
    for (const [n, outcome] of outcomes.entries()) {
      const item = items[n]!
      if (kept.has(item)) continue
      if (outcome.kind === 'refused') await this.#refuse(item, outcome.status, outcome.cause)
      else this.#finish(item)
    }
    this.#wake()
    return again
  }

  async #refuse(item: BulkItem, status: number, cause: string): Promise<void> {
    const { originalTopic: topic, originalPartition: partition, originalOffset: offset } = item.record
    const error = errors.create('MR_ES_MALFORMED', {
      id: item.id,
      index: item.index,
      topic,
      partition,
      offset,
      status,
      cause,
    })
    await this.#onRefused(item.record, error)
    this.#finish(item)
  }

  #finish(item: BulkItem): void {
    this.#pending.finish(item.slot)
    this.#held--
  }
}
