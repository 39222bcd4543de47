import { existsSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import type { Logger } from '../../../common/log.ts'
import { ErrorCode } from '../../../protocol/error-codes.ts'
import { type CheckAnswer, type CheckRequest, READY } from './check-messages.ts'
import type { BatchRules, Verdict } from './rules.ts'
import { SharedMemory } from './shared-memory.ts'

/**
 * The maximum total size of the batches in one message to a thread. Small batches are sent
 * together.
 */
const MESSAGE_BYTES = 256 << 10
const MESSAGE_JOBS = 64
/**
 * The maximum number of unanswered messages per thread. With two, the thread can start on the next
 * message as soon as it has answered one.
 */
const MESSAGES_AT_ONCE = 2
/** If this many threads fail to start in a row, all waiting batches are rejected. */
const MAX_FAILED_STARTS = 3
/** A batch is rejected after this many threads have crashed while they checked only this batch. */
const MAX_ATTEMPTS = 2
const MAX_HEAP_MB = 64
const YOUNG_MB = 8

interface Job {
  readonly batch: Buffer
  readonly rules: BatchRules
  readonly resolve: (verdict: Verdict) => void
  /** The number of threads that crashed while they checked only this batch. */
  attempts: number
}

interface Sent {
  readonly jobs: readonly Job[]
  readonly memory: readonly SharedArrayBuffer[]
}

interface Thread {
  readonly worker: Worker
  /** The messages that the thread has not answered yet. The oldest is first. */
  readonly sent: Sent[]
  isReady: boolean
}

export interface CheckPoolOptions {
  readonly logger: Logger
  /**
   * The maximum number of threads. The default is one less than the number of processors, but at
   * least 1 and at most 4.
   */
  readonly maxThreads?: number
  /** The module that the threads run. Tests replace it. */
  readonly module?: URL
}

/**
 * Checks batches in threads, so that decompression does not block the event loop. Threads are
 * started when they are needed. Checks start in the order of the calls, but may complete in another
 * order. Each thread has at most two unanswered messages. All other batches wait in the buffers of
 * their requests.
 */
export class CheckPool {
  readonly #logger: Logger
  readonly #maxThreads: number
  readonly #module: URL
  readonly #memory = new SharedMemory()
  readonly #threads = new Set<Thread>()
  #queue: Job[] = []
  /** Batches whose check may have crashed a thread. Each is sent to a thread alone. */
  #suspects: Job[] = []
  #failedStarts = 0
  #scheduled = false
  #closed = false

  constructor(o: CheckPoolOptions) {
    this.#logger = o.logger
    this.#maxThreads = o.maxThreads ?? Math.min(4, Math.max(1, availableParallelism() - 1))
    this.#module = o.module ?? threadModule()
  }

  /**
   * Checks a batch. The caller must not change the batch until the check is complete. Never
   * rejects.
   */
  check(batch: Buffer, rules: BatchRules): Promise<Verdict> {
    if (this.#closed) return Promise.resolve(failure(rules, 'the log is closing'))
    return new Promise(resolve => {
      this.#queue.push({ batch, rules, resolve, attempts: 0 })
      if (this.#scheduled) return
      this.#scheduled = true
      // Wait for other batches of this event loop turn, which can share a message.
      setImmediate(() => {
        this.#scheduled = false
        this.#dispatch()
      })
    })
  }

  /** Terminates the threads, and answers all waiting batches with an error. */
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

  /**
   * Returns the thread with the fewest messages. Starts a new thread instead if all are busy and
   * the limit allows it. Returns null if all threads have the maximum number of messages.
   */
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
    // Keep the process alive until the thread answers.
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
    for (const [i, { resolve }] of jobs.entries()) resolve(withBuffer(verdicts[i]!))
  }

  /**
   * Handles the end of a thread. Each batch of the message in progress may be the cause, so these
   * batches are retried one at a time. The batches of later messages return to the queue.
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
    this.#logger.error('A batch validation thread exited. A new thread is started', cause)
    if (!thread.isReady && ++this.#failedStarts >= MAX_FAILED_STARTS) {
      this.#failedStarts = 0
      for (const { rules, resolve } of this.#takeWaiting()) resolve(failure(rules, 'cannot start a thread'))
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

/** Returns a retriable error. */
function failure({ partition }: BatchRules, why: string): Verdict {
  const detail = `Cannot check the record batch for ${partition}: ${why}.`
  return { kind: 'rejected', code: ErrorCode.KAFKA_STORAGE_ERROR, detail, recordErrors: [] }
}

/** Returns an error that producers do not retry, because the batch itself is the cause. */
function unchecked({ partition }: BatchRules): Verdict {
  const detail = `Cannot check the record batch for ${partition}: validation crashed twice.`
  return { kind: 'rejected', code: ErrorCode.INVALID_RECORD, detail, recordErrors: [] }
}

/** Restores the Buffer in a verdict, because postMessage turns a Buffer into a Uint8Array. */
function withBuffer(verdict: Verdict): Verdict {
  if (verdict.kind !== 'rewritten') return verdict
  const { buffer, byteOffset, byteLength } = verdict.bytes
  return { kind: 'rewritten', bytes: Buffer.from(buffer, byteOffset, byteLength) }
}

/**
 * Returns the compiled module of the threads, or the source file if there is no compiled module.
 */
function threadModule(): URL {
  const js = new URL('./check-thread.js', import.meta.url)
  return existsSync(fileURLToPath(js)) ? js : new URL('./check-thread.ts', import.meta.url)
}
