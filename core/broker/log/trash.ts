import { rm } from 'node:fs/promises'
import type { Logger } from '../../common/log.ts'
import { slowOperations } from './slow-operations.ts'

interface Doomed {
  readonly path: string
  readonly due: number
}

/** Files and directories that were renamed away, to be removed after `file.delete.delay.ms`. */
export class Trash {
  readonly #logger: Logger
  readonly #now: () => number
  #doomed: Doomed[] = []

  constructor(logger: Logger, now: () => number) {
    this.#logger = logger
    this.#now = now
  }

  get size(): number {
    return this.#doomed.length
  }

  add(paths: Iterable<string>, delayMs: number): void {
    const due = this.#now() + delayMs
    for (const path of paths) this.#doomed.push({ path, due })
  }

  /** Removes what is due; what cannot be removed stays for the next start, with a line in the log. */
  async empty(now: number): Promise<void> {
    const due = this.#doomed.filter(d => d.due <= now)
    if (due.length === 0) return
    this.#doomed = this.#doomed.filter(d => d.due > now)
    for (const { path } of due) {
      try {
        await slowOperations.run(() => rm(path, { recursive: true, force: true }))
      } catch (error) {
        this.#logger.warn(`${path} cannot be removed; the next start tries again`, error)
      }
    }
  }

  /** What lies below a directory is removed with it. */
  forgetBelow(dir: string): void {
    this.#doomed = this.#doomed.filter(d => !d.path.startsWith(`${dir}/`))
  }
}
