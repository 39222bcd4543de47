import { existsSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import type { Logger } from '../../../common/log.ts'
import { ErrorCode } from '../../../protocol/error-codes.ts'
import { type CheckAnswer, type CheckRequest, READY } from './check-messages.ts'
import type { BatchRules, Verdict } from './rules.ts'
import { SharedMemory } from './shared-memory.ts'

/** Small batches go to a thread together, up to this many bytes. */
const MESSAGE_BYTES = 256 << 10
const MESSAGE_JOBS = 64
/** Messages in flight per thread: the current and the next one, so that it never waits. */
const MESSAGES_AT_ONCE = 2
/** After this many threads in a row fail to start, waiting batches are rejected. */
const MAX_FAILED_STARTS = 3
/** A batch that ends its thread is tried once more, alone. */
const MAX_ATTEMPTS = 2
const MAX_HEAP_MB = 64
const YOUNG_MB = 8

interface Job {
  readonly batch: Buffer
  readonly rules: BatchRules
  readonly resolve: (verdict: Verdict) => void
  /** How often its thread has ended over it. */
  attempts: number
}

interface Sent {
  readonly jobs: readonly Job[]
  readonly memory: readonly SharedArrayBuffer[]
}

interface Thread {
  readonly worker: Worker
  /** Unanswered messages, oldest first. */
  readonly sent: Sent[]
  isReady: boolean
}

export interface CheckPoolOptions {
  readonly logger: Logger
  /** Default: one less than there are processors, between 1 and 4. */
  readonly maxThreads?: number
  /** The module that the threads run; tests override it. */
  readonly module?: URL
}

/**
 * Checks batches in threads, so that decompressing them does not hold up the event loop. Threads
 * start with the first batch that needs them. Batches start in the order of the calls; callers
 * restore the order of the results if needed. Each thread holds at most two messages; the rest
 * waits in the memory of the requests.
 */
export class CheckPool {
  readonly #logger: Logger
  readonly #maxThreads: number
  readonly #module: URL
  readonly #memory = new SharedMemory()
  readonly #threads = new Set<Thread>()
  #queue: Job[] = []
  /** Batches whose thread ended: they go to threads one at a time. */
  #suspects: Job[] = []
  #failedStarts = 0
  #scheduled = false
  #closed = false

  constructor(o: CheckPoolOptions) {
    this.#logger = o.logger
    this.#maxThreads = o.maxThreads ?? Math.min(4, Math.max(1, availableParallelism() - 1))
    this.#module = o.module ?? threadModule()
  }

  /** Checks a batch that must not change meanwhile. Never rejects. */
  check(batch: Buffer, rules: BatchRules): Promise<Verdict> {
    if (this.#closed) return Promise.resolve(failure(rules, 'the log is closing'))
    return new Promise(resolve => {
      this.#queue.push({ batch, rules, resolve, attempts: 0 })
      if (this.#scheduled) return
      this.#scheduled = true
      // batches from one turn of the event loop share a message
      setImmediate(() => {
        this.#scheduled = false
        this.#dispatch()
      })
    })
  }

  /** Ends the threads and rejects unanswered batches. */
  async close(): Promise<void> {
    this.#closed = true
    const threads = [...this.#threads]
    await Promise.all(threads.map(t => t.worker.terminate()))
    for (const { rules, resolve } of this.#takeWaiting()) resolve(failure(rules, 'the log is closing'))
  }

  #takeWaiting(): Job[] {
    const waiting = [...this.#suspects, ...this.#queue]
    this.#suspects = []
    this.#queue = []
    return waiting
  }

  #dispatch(): void {
    while (!this.#closed && this.#queue.length + this.#suspects.length > 0) {
      const thread = this.#freeThread()
      if (thread === null) return
      this.#send(thread, this.#nextJobs())
    }
  }

  /** The least busy thread, or a new one if all are busy. Null: wait for a result. */
  #freeThread(): Thread | null {
    let best: Thread | null = null
    for (const t of this.#threads) if (best === null || t.sent.length < best.sent.length) best = t
    if (best !== null && (best.sent.length === 0 || this.#threads.size >= this.#maxThreads)) {
      return best.sent.length < MESSAGES_AT_ONCE ? best : null
    }
    return this.#start()
  }

  #nextJobs(): Job[] {
    const suspect = this.#suspects.shift()
    if (suspect !== undefined) return [suspect]
    let bytes = 0
    let count = 0
    for (const { batch } of this.#queue) {
      bytes += batch.length
      if (count > 0 && (bytes > MESSAGE_BYTES || count >= MESSAGE_JOBS)) break
      count++
    }
    const jobs = this.#queue.slice(0, count)
    this.#queue = this.#queue.slice(count)
    return jobs
  }

  #send(thread: Thread, jobs: readonly Job[]): void {
    const memory = jobs.map(({ batch }) => {
      const shared = this.#memory.take(batch.length)
      batch.copy(Buffer.from(shared))
      return shared
    })
    const request: CheckRequest = {
      jobs: jobs.map(({ batch, rules }, i) => ({ memory: memory[i]!, length: batch.length, rules })),
    }
    // keeps the process alive until the result arrives
    if (thread.sent.length === 0) thread.worker.ref()
    thread.sent.push({ jobs, memory })
    thread.worker.postMessage(request)
  }

  #start(): Thread {
    const worker = new Worker(this.#module, {
      name: 'batch-check',
      resourceLimits: { maxOldGenerationSizeMb: MAX_HEAP_MB, maxYoungGenerationSizeMb: YOUNG_MB },
    })
    const thread: Thread = { worker, sent: [], isReady: false }
    this.#threads.add(thread)
    worker.unref()
    worker.on('message', (message: CheckAnswer | typeof READY) => {
      if (message !== READY) this.#onAnswer(thread, message)
      else {
        thread.isReady = true
        this.#failedStarts = 0
      }
    })
    let cause: unknown = null
    worker.on('error', error => {
      cause = error
    })
    worker.once('exit', () => this.#onExit(thread, cause))
    return thread
  }

  #onAnswer(thread: Thread, { verdicts }: CheckAnswer): void {
    const { jobs, memory } = thread.sent.shift()!
    if (thread.sent.length === 0) thread.worker.unref()
    for (const shared of memory) this.#memory.give(shared)
    this.#dispatch()
    for (const [i, { resolve }] of jobs.entries()) resolve(revived(verdicts[i]!))
  }

  /**
   * Batches in progress are suspect and retried one by one; batches not yet started go back to the
   * queue.
   */
  #onExit(thread: Thread, cause: unknown): void {
    this.#threads.delete(thread)
    const [begun, ...others] = thread.sent.map(s => s.jobs)
    this.#queue = [...others.flat(), ...this.#queue]
    if (begun !== undefined) this.#suspects.push(...begun)
    if (this.#closed) {
      for (const { rules, resolve } of this.#takeWaiting()) resolve(failure(rules, 'the log is closing'))
      return
    }
    this.#logger.error('A batch validation thread has ended; starting another', cause)
    if (!thread.isReady && ++this.#failedStarts >= MAX_FAILED_STARTS) {
      this.#failedStarts = 0
      for (const { rules, resolve } of this.#takeWaiting()) resolve(failure(rules, 'no thread can be started'))
      return
    }
    if (thread.isReady && begun?.length === 1 && ++begun[0]!.attempts >= MAX_ATTEMPTS) {
      const culprit = begun[0]!
      this.#suspects = this.#suspects.filter(job => job !== culprit)
      culprit.resolve(unchecked(culprit.rules))
    }
    this.#dispatch()
  }
}

/** A temporary error: producers retry. */
function failure({ partition }: BatchRules, why: string): Verdict {
  const detail = `The record batch for ${partition} could not be checked: ${why}.`
  return { kind: 'rejected', code: ErrorCode.KAFKA_STORAGE_ERROR, detail, recordErrors: [] }
}

/** The batch itself cannot be checked: producers must not retry it. */
function unchecked({ partition }: BatchRules): Verdict {
  const detail = `The record batch for ${partition} could not be checked: validation crashed twice.`
  return { kind: 'rejected', code: ErrorCode.INVALID_RECORD, detail, recordErrors: [] }
}

/** A Buffer comes out of a thread as a Uint8Array. */
function revived(verdict: Verdict): Verdict {
  if (verdict.kind !== 'rewritten') return verdict
  const { buffer, byteOffset, byteLength } = verdict.bytes
  return { kind: 'rewritten', bytes: Buffer.from(buffer, byteOffset, byteLength) }
}

/** The compiled module, or the source where it runs from there. */
function threadModule(): URL {
  const js = new URL('./check-thread.js', import.meta.url)
  return existsSync(fileURLToPath(js)) ? js : new URL('./check-thread.ts', import.meta.url)
}
