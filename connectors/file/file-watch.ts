import { watch } from 'chokidar'

/** The first wait after an event, and the longest, before the caller looks by itself. Milliseconds. */
const RECHECK_MIN_MS = 50
const RECHECK_MAX_MS = 1000

/**
 * Tells when a file changes, appears (also its folder) or goes. What happens between two waits is not missed. A network file system has no
 * events for what other machines do, so every wait ends after a second at most: the caller looks, and waits again.
 */
export class FileWatch {
  readonly #watcher: ReturnType<typeof watch>
  readonly #recheck: { readonly min: number; readonly max: number }
  #delay: number
  #dirty = true
  #wake: (() => void) | null = null

  constructor(
    file: string,
    onError: (error: unknown) => void,
    recheckMs = { min: RECHECK_MIN_MS, max: RECHECK_MAX_MS },
  ) {
    this.#recheck = recheckMs
    this.#delay = recheckMs.min
    this.#watcher = watch(file, { ignoreInitial: false, alwaysStat: false, atomic: false })
    this.#watcher.on('all', () => this.#mark())
    this.#watcher.on('ready', () => this.#mark())
    this.#watcher.on('error', onError)
  }

  #mark(): void {
    this.#dirty = true
    this.#wake?.()
  }

  /** Resolves at the next change since the last call, when it is time to look anyway, or when the signal aborts. */
  async changed(signal: AbortSignal): Promise<void> {
    if (!this.#dirty && !signal.aborted) {
      const wait = Promise.withResolvers<void>()
      this.#wake = () => wait.resolve()
      const timer = setTimeout(this.#wake, this.#delay)
      signal.addEventListener('abort', this.#wake, { once: true })
      await wait.promise
      signal.removeEventListener('abort', this.#wake)
      clearTimeout(timer)
      this.#wake = null
    }
    this.#delay = this.#dirty ? this.#recheck.min : Math.min(this.#delay * 2, this.#recheck.max)
    this.#dirty = false
  }

  async close(): Promise<void> {
    await this.#watcher.close()
  }
}
