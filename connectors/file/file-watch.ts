import { watch } from 'chokidar'
import { type Backoff, backoff, Signal } from 'millrace/connect'

/**
 * If no event arrives, a wait ends after a time, in milliseconds, so that the caller checks the
 * file. The time starts at RECHECK_MIN_MS and grows to RECHECK_MAX_MS.
 */
const RECHECK_MIN_MS = 50
const RECHECK_MAX_MS = 1000

/**
 * Reports when a file changes, appears or disappears, also together with its folder. A change
 * between two waits is not missed. A network file system has no events for changes by other
 * machines. Therefore each wait ends after at most one second, and the caller checks the file and
 * waits again.
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

  /**
   * Resolves at the first change since the last call, when the file should be checked without an
   * event, or when the signal aborts.
   */
  async changed(signal: AbortSignal): Promise<void> {
    if (!this.#dirty) await this.#events.next(this.#rechecks.next(), signal)
    if (this.#dirty) this.#rechecks.reset()
    this.#dirty = false
  }

  async close(): Promise<void> {
    await this.#watcher.close()
  }
}
