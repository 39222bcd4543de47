import { watch } from 'chokidar'

/** Tells when a file changes, appears or goes. What happens between two waits is not missed. */
export class FileWatch {
  readonly #watcher: ReturnType<typeof watch>
  #dirty = true
  #wake: (() => void) | null = null

  constructor(file: string, onError: (error: unknown) => void) {
    this.#watcher = watch(file, { ignoreInitial: false, alwaysStat: false, atomic: false })
    this.#watcher.on('all', () => this.#mark())
    this.#watcher.on('ready', () => this.#mark())
    this.#watcher.on('error', onError)
  }

  #mark(): void {
    this.#dirty = true
    this.#wake?.()
  }

  /** Resolves at the next change since the last call, or when the signal aborts. */
  async changed(signal: AbortSignal): Promise<void> {
    if (!this.#dirty && !signal.aborted) {
      await new Promise<void>(resolve => {
        this.#wake = resolve
        signal.addEventListener('abort', () => resolve(), { once: true })
      })
      this.#wake = null
    }
    this.#dirty = false
  }

  async close(): Promise<void> {
    await this.#watcher.close()
  }
}
