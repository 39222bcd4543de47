import { emitLog } from '../../common/log.ts'
import type { HerderCall, ThreadEvent } from '../task/host/messages-out.ts'
import { type TaskIsolation, ThreadHost, threadNameOf } from '../task/host/thread-host.ts'

export interface ThreadsOptions {
  readonly isolation: TaskIsolation
  readonly maxHeapMb: number
  readonly onEvent: (event: ThreadEvent, host: ThreadHost) => void
  readonly onCall: (call: HerderCall, unit: string) => Promise<unknown>
  /** Called after a thread has ended for any reason. */
  readonly onEnd: (host: ThreadHost) => void
}

/**
 * The threads of connectors and tasks. A thread starts with its first unit, and ends after its last
 * unit.
 */
export class Threads {
  readonly #o: ThreadsOptions
  readonly #hosts = new Map<string, ThreadHost>()
  readonly #all = new Set<ThreadHost>()

  constructor(options: ThreadsOptions) {
    this.#o = options
  }

  /** All threads that have not ended. */
  get hosts(): ReadonlySet<ThreadHost> {
    return this.#all
  }

  /**
   * Returns the thread for a task or for the connector (null). The connector shares the thread of
   * task 0.
   */
  hostFor(connector: string, task: number | null): ThreadHost {
    const name = threadNameOf(this.#o.isolation, connector, task ?? 0)
    const existing = this.#hosts.get(name)
    if (existing?.alive) return existing
    const host = new ThreadHost({
      name,
      maxHeapMb: this.#o.maxHeapMb,
      onEvent: this.#o.onEvent,
      onLog: emitLog,
      onCall: this.#o.onCall,
    })
    this.#hosts.set(name, host)
    this.#all.add(host)
    void host.exited.then(() => {
      this.#all.delete(host)
      if (this.#hosts.get(name) === host) this.#hosts.delete(name)
      this.#o.onEnd(host)
    })
    return host
  }

  /** Ends the thread if it has no more units. Must be called whenever a unit has ended. */
  release(host: ThreadHost): void {
    if (host.units.size > 0 || !host.alive) return
    if (this.#hosts.get(host.name) === host) this.#hosts.delete(host.name)
    void host.close(2000)
  }

  /** Ends all threads. */
  async close(graceMs: number): Promise<void> {
    await Promise.all([...this.#all].map(host => host.close(graceMs)))
  }
}
