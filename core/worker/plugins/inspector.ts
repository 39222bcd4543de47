import { emitLog } from '../../common/log.ts'
import { pluginErrors } from '../errors.ts'
import type { PluginInfo, PluginRef, ThreadRequests, ValidateSpec, ValidationResult } from '../task/host/messages-in.ts'
import { ThreadHost } from '../task/host/thread-host.ts'

export interface InspectorOptions {
  /** The maximum number of threads. */
  readonly threads: number
  /** The time limit of a request, ms. After this time, the thread is terminated. */
  readonly timeoutMs: number
  /** The time without requests after which a thread ends, ms. */
  readonly idleMs: number
  /** The heap limit of a thread, MB. */
  readonly maxHeapMb: number
}

type Ask = 'inspect' | 'validate' | 'alter-offsets'

interface Seat {
  readonly host: ThreadHost
  timer: NodeJS.Timeout | null
}

/**
 * Reads the declarations of plugins and runs their validations in a few separate threads. If a
 * plugin crashes or hangs, only its thread ends, and the request fails after `timeoutMs` at the
 * latest. Declarations are cached.
 */
export class PluginInspector {
  readonly #o: InspectorOptions
  readonly #free: Seat[] = []
  readonly #queue: (() => void)[] = []
  readonly #known = new Map<string, Promise<PluginInfo>>()
  readonly #hosts = new Set<ThreadHost>()
  #busy = 0
  #count = 0
  #closed = false

  constructor(options: InspectorOptions) {
    this.#o = options
  }

  /** Returns a plugin's declaration. */
  inspect(plugin: PluginRef): Promise<PluginInfo> {
    const id = `${plugin.className}@${plugin.version}@${plugin.module}`
    let info = this.#known.get(id)
    if (!info) {
      info = this.#run('inspect', { plugin }, plugin.className)
      this.#known.set(id, info)
      info.catch(() => this.#known.delete(id))
    }
    return info
  }

  /** Validates a configuration with the plugin's declaration and its `validate`. */
  validate(spec: ValidateSpec): Promise<ValidationResult> {
    return this.#run('validate', spec, spec.plugin.className)
  }

  /** Calls `alterOffsets` of a source connector, and returns the result. */
  alterOffsets(ask: ThreadRequests['alter-offsets']['ask']): Promise<boolean> {
    return this.#run('alter-offsets', ask, ask.plugin.className)
  }

  async close(): Promise<void> {
    this.#closed = true
    for (const seat of this.#free) if (seat.timer) clearTimeout(seat.timer)
    await Promise.all([...this.#hosts].map(host => host.close(1000)))
  }

  async #run<N extends Ask>(name: N, ask: ThreadRequests[N]['ask'], plugin: string) {
    const seat = await this.#sit()
    const ms = this.#o.timeoutMs
    try {
      return await seat.host.request(name, ask, { timeoutMs: ms })
    } catch (error) {
      if (!isCode(error, 'MR_TASK_REQUEST_TIMEOUT')) throw error
      await seat.host.terminate()
      throw pluginErrors.create('MR_PLUGIN_TIMEOUT', { name: plugin, request: name, ms })
    } finally {
      this.#leave(seat)
    }
  }

  async #sit(): Promise<Seat> {
    while (this.#busy >= this.#o.threads) await new Promise<void>(resolve => this.#queue.push(resolve))
    this.#busy++
    for (let seat = this.#free.pop(); seat; seat = this.#free.pop()) {
      if (seat.timer) clearTimeout(seat.timer)
      if (seat.host.alive) return seat
    }
    const host = new ThreadHost({
      name: `inspector-${++this.#count}`,
      maxHeapMb: this.#o.maxHeapMb,
      onEvent: () => {},
      onLog: emitLog,
      onCall: () => Promise.reject(new Error('offsets cannot be read during a validation')),
    })
    this.#hosts.add(host)
    void host.exited.then(() => this.#hosts.delete(host))
    return { host, timer: null }
  }

  #leave(seat: Seat): void {
    this.#busy--
    if (this.#closed) void seat.host.close(1000)
    else if (seat.host.alive) {
      this.#free.push(seat)
      seat.timer = setTimeout(() => {
        this.#free.splice(this.#free.indexOf(seat), 1)
        void seat.host.close(1000)
      }, this.#o.idleMs)
      seat.timer.unref()
    }
    this.#queue.shift()?.()
  }
}

/** Returns whether an error has this code. */
function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code
}
