import { rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Logger } from '../../common/log.ts'
import { slowOperations } from './slow-operations.ts'

/** Files and directories that were renamed away, to be removed after `file.delete.delay.ms`. */
export class Trash {
  readonly #logger: Logger
  readonly #now: () => number
  /** When each path is due, by its directory: removing a directory removes its contents too. */
  readonly #doomed = new Map<string, Map<string, number>>()
  #running: Promise<void> = Promise.resolve()

  constructor(logger: Logger, now: () => number) {
    this.#logger = logger
    this.#now = now
  }

  get size(): number {
    let sum = 0
    for (const paths of this.#doomed.values()) sum += paths.size
    return sum
  }

  add(paths: Iterable<string>, delayMs: number): void {
    const due = this.#now() + delayMs
    for (const path of paths) {
      const dir = dirname(path)
      const inDir = this.#doomed.get(dir) ?? new Map<string, number>()
      this.#doomed.set(dir, inDir.set(path, due))
    }
  }

  /** Removes what is due; what cannot be removed stays for the next start, with a line in the log. */
  empty(now: number): Promise<void> {
    const due: string[] = []
    for (const [dir, paths] of this.#doomed) {
      for (const [path, at] of paths) {
        if (at > now) continue
        due.push(path)
        paths.delete(path)
      }
      if (paths.size === 0) this.#doomed.delete(dir)
    }
    if (due.length > 0) this.#running = this.#running.then(() => this.#remove(due))
    return this.#running
  }

  async #remove(paths: readonly string[]): Promise<void> {
    for (const path of paths) {
      try {
        await slowOperations.run(() => rm(path, { recursive: true, force: true }))
      } catch (error) {
        this.#logger.warn(`${path} cannot be removed; the next start tries again`, error)
      }
    }
  }

  /** What lies below a directory is removed with it. */
  forgetBelow(dir: string): void {
    this.#doomed.delete(dir)
  }
}
