import { watch } from 'chokidar'
import { type Backoff, backoff, Signal } from 'millrace/connect'

/** The first wait after an event, and the longest, before the caller looks by itself. Milliseconds. */
const RECHECK_MIN_MS = 50
const RECHECK_MAX_MS = 1000

/**
 * Tells when a file changes, appears (also its folder) or goes. What happens between two waits is not missed. A network file system has no
 * events for what other machines do, so every wait ends after a second at most: the caller looks, and waits again.
 */
export class FileWatch {
  readonly #watcher: ReturnType<typeof watch>
  readonly #rechecks: Backoff
  #dirty = true
  readonly #events = new Signal()

  constructor(
    file: string,
    onError: (error: unknown) => void,
    recheckMs = { min: RECHECK_MIN_MS, max: RECHECK_MAX_MS },
  ) {
    this.#rechecks = backoff({ initialMs: recheckMs.min, maxMs: recheckMs.max, jitter: 0 })
    this.#watcher = watch(file, { ignoreInitial: false, alwaysStat: false, atomic: false })
    this.#watcher.on('all', () => this.#mark())
    this.#watcher.on('ready', () => this.#mark())
    this.#watcher.on('error', onError)
  }

  #mark(): void {
    this.#dirty = true
    this.#events.notify()
  }

  /** Resolves at the next change since the last call, when it is time to look anyway, or when the signal aborts. */
  async changed(signal: AbortSignal): Promise<void> {
    if (!this.#dirty) await this.#events.next(this.#rechecks.next(), signal)
    if (this.#dirty) this.#rechecks.reset()
    this.#dirty = false
  }

  async close(): Promise<void> {
    await this.#watcher.close()
  }
}
