import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { type MillraceError, messageOf } from '../../../common/errors/error-table.ts'
import { createLogger, type LogEntry, type LogLevel, logLevels } from '../../../common/log.ts'
import { timerMs } from '../../../common/timer.ts'
import { errors } from '../errors.ts'
import { failureOf, RemoteError } from '../failures/failure.ts'
import type { RequestMessage, RequestName, ThreadData, ThreadRequests } from './messages-in.ts'
import type { Failure, HerderCall, MessageOut, ThreadEvent } from './messages-out.ts'

/** Of a thread's heap for young objects, MB. V8's own limit of 96 and more is filled by a task that is always busy, for no gain. */
const YOUNG_MB = 24

export interface ThreadHostOptions {
  /** Shown by tools and in messages. */
  readonly name: string
  /** The limit of the JavaScript heap, MB. Default 256. */
  readonly maxHeapMb?: number
  /** The limit of Buffers, MB; 0 for none. Default: twice the heap. */
  readonly maxExternalMb?: number
  /** Events of the thread, in order. After a thread's death: `failed` of each unit that was alive in it. */
  readonly onEvent: (event: ThreadEvent, host: ThreadHost) => void
  readonly onLog: (entry: LogEntry) => void
  /** What the thread asks of the herder. */
  readonly onCall: (call: HerderCall, unit: string) => Promise<unknown>
}

/** How a thread ended. `failure` is null after an orderly end. */
export interface ThreadExit {
  readonly failure: Failure | null
  readonly terminated: boolean
}

interface Pending {
  readonly name: RequestName
  readonly resolve: (value: unknown) => void
  readonly reject: (error: Error) => void
  readonly timer: NodeJS.Timeout | undefined
}

const logger = createLogger('millrace.threads')

/**
 * One worker thread as the herder sees it: requests with answers, events, and the truth about its end. Spawned by the
 * constructor. A unit (connector or task) counts as alive from its start request until `failed`, `stopped` or the exit.
 */
export class ThreadHost {
  readonly name: string
  /** Settles once, never rejects. */
  readonly exited: Promise<ThreadExit>
  readonly #options: ThreadHostOptions
  readonly #worker: Worker
  readonly #pending = new Map<number, Pending>()
  readonly #units = new Set<string>()
  readonly #maxHeapMb: number
  readonly #pulse = new Int32Array(new SharedArrayBuffer(4))
  #ready = false
  #nextId = 1
  #crash: Error | null = null
  #orderly = false
  #hung: { readonly unit: string; readonly ms: number } | null = null
  #gone: Failure | null = null

  constructor(options: ThreadHostOptions) {
    this.#options = options
    this.name = options.name
    this.#maxHeapMb = options.maxHeapMb ?? 256
    const maxExternalMb = options.maxExternalMb ?? this.#maxHeapMb * 2
    const data: ThreadData = {
      name: options.name,
      logLevels: [...logLevels()] as [string, LogLevel][],
      maxExternalBytes: maxExternalMb * 1024 * 1024,
      pulse: this.#pulse.buffer as SharedArrayBuffer,
    }
    this.#worker = new Worker(threadModule(), {
      name: options.name,
      workerData: data,
      resourceLimits: { maxOldGenerationSizeMb: this.#maxHeapMb, maxYoungGenerationSizeMb: YOUNG_MB },
    })
    this.#worker.on('message', (message: MessageOut) => this.#receive(message))
    this.#worker.on('error', error => {
      this.#crash = error instanceof Error ? error : new Error(String(error))
    })
    this.exited = new Promise(resolve => {
      this.#worker.once('exit', code => resolve(this.#end(code)))
    })
  }

  /** The units that are alive in the thread. */
  get units(): ReadonlySet<string> {
    return this.#units
  }

  get alive(): boolean {
    return this.#gone === null
  }

  /** A number that changes several times a second while the thread's event loop turns; null before it began to. */
  get pulse(): number | null {
    return this.#ready ? Atomics.load(this.#pulse, 0) : null
  }

  /**
   * Asks the thread. Rejects with a RemoteError for a failure in the thread, MR_TASK_REQUEST_TIMEOUT after `timeoutMs`
   * (none by default), MR_TASK_THREAD_GONE when the thread dies first.
   */
  request<N extends RequestName>(
    name: N,
    ask: ThreadRequests[N]['ask'],
    options: { timeoutMs?: number } = {},
  ): Promise<ThreadRequests[N]['answer']> {
    if (this.#gone) return Promise.reject(this.#goneError(name, this.#gone))
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
      this.#worker.postMessage({ type: 'request', id, name, ask } as RequestMessage)
    })
  }

  /**
   * Stops one unit. Where it does not come to an end within `graceMs`, the thread is terminated; units that shared it get a
   * `failed` event that can be retried. Resolves when the unit is gone in either way; false when it had to be forced.
   */
  async stopUnit(unit: string, graceMs: number): Promise<boolean> {
    if (!this.#units.has(unit)) return true
    try {
      await this.request('stop', { unit }, { timeoutMs: graceMs })
      return true
    } catch (error) {
      if (this.alive && this.#units.has(unit)) {
        this.#hung = { unit, ms: graceMs }
        await this.terminate()
      }
      if (error instanceof RemoteError) throw error
      return false
    }
  }

  /** Stops all units and ends the thread; terminates it after `graceMs`. */
  async close(graceMs: number): Promise<ThreadExit> {
    if (!this.alive) return this.exited
    const timer = setTimeout(() => {
      this.#hung ??= { unit: [...this.#units][0] ?? this.name, ms: graceMs }
      void this.#worker.terminate()
    }, timerMs(graceMs))
    try {
      this.#orderly = true
      await this.request('exit', {})
    } catch {
      // The exit tells how it ended.
    }
    const exit = await this.exited
    clearTimeout(timer)
    return exit
  }

  /** Ends the thread at once. `reason` is what its units fail with. */
  async terminate(reason?: MillraceError): Promise<ThreadExit> {
    if (reason) this.#crash ??= reason
    await this.#worker.terminate()
    return this.exited
  }

  // A plugin can send messages of its own from its thread: whatever they are, they end no other.
  #receive(message: MessageOut): void {
    try {
      this.#take(message)
    } catch (error) {
      logger.error(`A message of the thread ${this.name} cannot be understood`, error)
    }
  }

  #take(message: MessageOut): void {
    switch (message.type) {
      case 'ready':
        this.#ready = true
        break
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

  #settled(id: number): Pending | undefined {
    const pending = this.#pending.get(id)
    this.#pending.delete(id)
    clearTimeout(pending?.timer)
    return pending
  }

  #end(code: number): ThreadExit {
    const failure = this.#failureOf(code)
    const cause = failure ?? failureOf(new Error('it was asked to end'))
    this.#gone = cause
    for (const [id, pending] of [...this.#pending]) {
      this.#settled(id)
      if (pending.name === 'exit') pending.resolve(null)
      else pending.reject(this.#goneError(pending.name, cause))
    }
    for (const unit of [...this.#units]) {
      this.#units.delete(unit)
      this.#options.onEvent({ type: 'failed', unit, failure: this.#unitFailure(unit, cause) }, this)
    }
    return { failure, terminated: this.#hung !== null }
  }

  #failureOf(code: number): Failure | null {
    const thread = this.name
    const crash = this.#crash
    if (crash && 'code' in crash && crash.code === 'ERR_WORKER_OUT_OF_MEMORY')
      return failureOf(errors.create('MR_TASK_THREAD_MEMORY', { thread, limit: this.#maxHeapMb }, { cause: crash }))
    if (crash && 'code' in crash && String(crash.code).startsWith('MR_TASK_')) return failureOf(crash)
    if (crash)
      return failureOf(errors.create('MR_TASK_THREAD_CRASHED', { thread, cause: messageOf(crash) }, { cause: crash }))
    if (this.#orderly || this.#hung) return null
    return failureOf(errors.create('MR_TASK_THREAD_ENDED', { thread, code }))
  }

  #unitFailure(unit: string, cause: Failure): Failure {
    if (this.#hung === null) return cause
    if (this.#hung.unit === unit) return failureOf(errors.create('MR_TASK_HUNG', this.#hung))
    return failureOf(errors.create('MR_TASK_NEIGHBOUR', { thread: this.name, unit: this.#hung.unit }))
  }

  #goneError(request: string, cause: Failure): Error {
    return errors.create('MR_TASK_THREAD_GONE', { thread: this.name, request, cause: cause.message })
  }
}

/** The thread's entry: `.ts` when running from sources, `.js` from dist. */
function threadModule(): URL {
  const js = new URL('./thread-main.js', import.meta.url)
  return existsSync(fileURLToPath(js)) ? js : new URL('./thread-main.ts', import.meta.url)
}

/** `task.isolation`: which units share a thread. `task`: none; `connector`: a connector and its tasks; `worker`: all. */
export type TaskIsolation = 'task' | 'connector' | 'worker'

/** The name of the thread that a unit belongs to. Units with one name share a thread. */
export function threadNameOf(isolation: TaskIsolation, connector: string, taskId: number | null): string {
  if (isolation === 'worker') return 'tasks'
  if (isolation === 'connector') return connector
  return taskId === null ? `${connector}-connector` : `${connector}-${taskId}`
}
