import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { timerMs } from '../../../common/async/timer.ts'
import type { MillraceError } from '../../../common/errors/error-table.ts'
import { createLogger, type LogEntry, type LogLevel, logLevels } from '../../../common/log.ts'
import { errors } from '../errors.ts'
import { failureOf, RemoteError } from '../failures/failure.ts'
import type { RequestName, ThreadData, ThreadRequests } from './messages-in.ts'
import type { Failure, HerderCall, MessageOut, ThreadEvent } from './messages-out.ts'
import { afterEndReason, exitFailure, type ThreadState, unitFailure } from './thread-state.ts'

/**
 * The limit of a thread's young generation, MB. V8's default is 96 or more, and a busy task would
 * use all of it without becoming faster.
 */
const YOUNG_MB = 24

export interface ThreadHostOptions {
  /** The name of the thread, which messages and debuggers show. */
  readonly name: string
  /** The limit of the JavaScript heap, MB. Default: 256. */
  readonly maxHeapMb?: number
  /**
   * The limit of Buffers and other external memory, MB; 0 for no limit. Default: twice the heap.
   */
  readonly maxExternalMb?: number
  /**
   * Receives the thread's events in order. If the thread ends, receives `failed` for each unit that
   * was in the thread.
   */
  readonly onEvent: (event: ThreadEvent, host: ThreadHost) => void
  readonly onLog: (entry: LogEntry) => void
  /** Answers the calls that the thread sends to the herder. */
  readonly onCall: (call: HerderCall, unit: string) => Promise<unknown>
}

/**
 * How a thread ended. `failure` is null if the host requested the end, or terminated the thread
 * because a unit hung.
 */
export interface ThreadExit {
  readonly failure: Failure | null
  /** Whether the thread was terminated because a unit hung. */
  readonly terminated: boolean
}

interface PendingRequest {
  readonly name: RequestName
  readonly resolve: (value: unknown) => void
  readonly reject: (error: Error) => void
  readonly timer: NodeJS.Timeout | undefined
}

const logger = createLogger('millrace.threads')

/**
 * The herder's handle of a worker thread. It starts the thread in its constructor, sends requests,
 * passes on events, and reports how the thread ended. A unit (connector or task) is in the thread
 * from its start request until its `failed` or `stopped` event, or until the thread exits.
 */
export class ThreadHost {
  readonly name: string
  /** Resolves when the thread has exited. Never rejects. */
  readonly exited: Promise<ThreadExit>
  readonly #options: ThreadHostOptions
  readonly #worker: Worker
  readonly #pending = new Map<number, PendingRequest>()
  readonly #units = new Set<string>()
  readonly #maxHeapMb: number
  readonly #pulse = new Int32Array(new SharedArrayBuffer(4))
  #nextId = 1
  #state: ThreadState = { phase: 'running' }

  constructor(options: ThreadHostOptions) {
    this.#options = options
    this.name = options.name
    this.#maxHeapMb = options.maxHeapMb ?? 256
    const maxExternalMb = options.maxExternalMb ?? this.#maxHeapMb * 2
    const data: ThreadData = {
      name: options.name,
      logLevels: [...logLevels()] as [string, LogLevel][],
      maxExternalBytes: maxExternalMb * 1024 * 1024,
      pulse: this.#pulse.buffer,
    }
    this.#worker = new Worker(threadModule(), {
      name: options.name,
      workerData: data,
      resourceLimits: { maxOldGenerationSizeMb: this.#maxHeapMb, maxYoungGenerationSizeMb: YOUNG_MB },
    })
    this.#worker.on('message', (message: MessageOut) => this.#receive(message))
    this.#worker.on('error', error => {
      this.#crashed(error instanceof Error ? error : new Error(String(error)))
    })
    this.exited = new Promise(resolve => {
      this.#worker.once('exit', code => resolve(this.#end(code)))
    })
  }

  /** The connectors and tasks in the thread. */
  get units(): ReadonlySet<string> {
    return this.#units
  }

  get alive(): boolean {
    return this.#state.phase !== 'ended'
  }

  /**
   * A counter that the thread's event loop increments several times a second. Null until the thread
   * has been loaded.
   */
  get pulse(): number | null {
    return Atomics.load(this.#pulse, 0) || null
  }

  /**
   * Sends a request to the thread. Rejects with a RemoteError if the request fails in the thread,
   * with MR_TASK_REQUEST_TIMEOUT after `timeoutMs` (default: no limit), and with
   * MR_TASK_THREAD_GONE if the thread ends before it has answered.
   */
  request<N extends RequestName>(
    name: N,
    ask: ThreadRequests[N]['ask'],
    options: { timeoutMs?: number } = {},
  ): Promise<ThreadRequests[N]['answer']> {
    if (this.#state.phase === 'ended') return Promise.reject(this.#endedError(name, this.#state.cause))
    const id = this.#nextId++
    if ('unit' in ask && (name === 'start-task' || name === 'start-connector')) this.#units.add(ask.unit)
    return new Promise((resolve, reject) => {
      const ms = options.timeoutMs
      const expire = () => {
        this.#pending.delete(id)
        reject(errors.create('MR_TASK_REQUEST_TIMEOUT', { thread: this.name, request: name, ms }))
      }
      const timer = ms === undefined ? undefined : setTimeout(expire, timerMs(ms))
      this.#pending.set(id, { name, resolve: resolve as (value: unknown) => void, reject, timer })
      this.#worker.postMessage({ type: 'request', id, name, ask })
    })
  }

  /**
   * Stops a unit. If the unit has not stopped after `graceMs`, the thread is terminated, and its
   * other units fail with a retriable error. Resolves when the unit has ended. The result is false
   * if the thread was terminated.
   */
  async stopUnit(unit: string, graceMs: number): Promise<boolean> {
    if (!this.#units.has(unit)) return true
    try {
      await this.request('stop', { unit }, { timeoutMs: graceMs })
      return true
    } catch (error) {
      if (this.alive && this.#units.has(unit)) {
        this.#hung(unit, graceMs)
        await this.terminate()
      }
      if (error instanceof RemoteError) throw error
      return false
    }
  }

  /**
   * Stops all units and ends the thread. If the thread has not ended after `graceMs`, it is
   * terminated.
   */
  async close(graceMs: number): Promise<ThreadExit> {
    if (!this.alive) return this.exited
    const timer = setTimeout(() => {
      this.#hung([...this.#units][0] ?? this.name, graceMs)
      void this.#worker.terminate()
    }, timerMs(graceMs))
    try {
      if (this.#state.phase === 'running') this.#state = { phase: 'stopping' }
      await this.request('exit', {})
    } catch {
      // The thread ended before it could answer. `exited` reports how the thread ended.
    }
    const exit = await this.exited
    clearTimeout(timer)
    return exit
  }

  /**
   * Terminates the thread immediately. If there is a `reason`, the thread's units fail with that
   * error.
   */
  async terminate(reason?: MillraceError): Promise<ThreadExit> {
    if (reason) this.#crashed(reason)
    await this.#worker.terminate()
    return this.exited
  }

  #hung(unit: string, ms: number): void {
    this.#state = afterEndReason(this.#state, { phase: 'hung', unit, ms })
  }

  #crashed(error: Error): void {
    this.#state = afterEndReason(this.#state, { phase: 'crashed', error })
  }

  // A plugin can send arbitrary messages from its thread. They must not crash the herder's thread.
  #receive(message: MessageOut): void {
    try {
      this.#take(message)
    } catch (error) {
      logger.error(`Ignored an invalid message from the thread ${this.name}`, error)
    }
  }

  #take(message: MessageOut): void {
    switch (message.type) {
      case 'log':
        this.#options.onLog(message.entry)
        break
      case 'event': {
        const { event } = message
        if (event.type === 'failed' || event.type === 'stopped') this.#units.delete(event.unit)
        this.#options.onEvent(event, this)
        break
      }
      case 'answer':
        this.#settled(message.id)?.resolve(message.value)
        break
      case 'reject':
        this.#settled(message.id)?.reject(new RemoteError(message.failure))
        break
      case 'call':
        void this.#answer(message.id, message.unit, message.call)
        break
    }
  }

  async #answer(id: number, unit: string, call: HerderCall): Promise<void> {
    try {
      const value = await this.#options.onCall(call, unit)
      this.#worker.postMessage({ type: 'reply', id, value })
    } catch (error) {
      const { message, retriable } = failureOf(error)
      this.#worker.postMessage({ type: 'reply', id, error: { message, retriable } })
    }
  }

  /** Removes a pending request and returns it. */
  #settled(id: number): PendingRequest | undefined {
    const pending = this.#pending.get(id)
    this.#pending.delete(id)
    clearTimeout(pending?.timer)
    return pending
  }

  #end(code: number): ThreadExit {
    const last = this.#state
    const failure = exitFailure(last, code, { thread: this.name, maxHeapMb: this.#maxHeapMb })
    const cause = failure ?? failureOf(new Error('the thread was stopped'))
    this.#state = { phase: 'ended', cause }
    for (const [id, pending] of [...this.#pending]) {
      this.#settled(id)
      if (pending.name === 'exit') pending.resolve(null)
      else pending.reject(this.#endedError(pending.name, cause))
    }
    for (const unit of [...this.#units]) {
      this.#units.delete(unit)
      this.#options.onEvent({ type: 'failed', unit, failure: unitFailure(last, unit, cause, this.name) }, this)
    }
    return { failure, terminated: last.phase === 'hung' }
  }

  #endedError(request: string, cause: Failure): Error {
    return errors.create('MR_TASK_THREAD_GONE', { thread: this.name, request, cause: cause.message })
  }
}

/** Returns the thread's entry point, which is `.ts` in the sources and `.js` in dist. */
function threadModule(): URL {
  const js = new URL('./thread-main.js', import.meta.url)
  return existsSync(fileURLToPath(js)) ? js : new URL('./thread-main.ts', import.meta.url)
}

/**
 * The value of `task.isolation`, which decides which units share a thread. With `task`, each task
 * has its own thread. With `connector`, a connector and its tasks share a thread. With `worker`,
 * all units share one.
 */
export type TaskIsolation = 'task' | 'connector' | 'worker'

/** Returns the name of a unit's thread. Units with the same thread name share a thread. */
export function threadNameOf(isolation: TaskIsolation, connector: string, taskId: number): string {
  if (isolation === 'worker') return 'tasks'
  if (isolation === 'connector') return connector
  return `${connector}-${taskId}`
}
