import { rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Logger } from '../../../common/log.ts'
import { slowOperations } from './slow-operations.ts'

/** Renamed files and directories that are removed after `file.delete.delay.ms`. */
export class Trash {
  readonly #logger: Logger
  readonly #now: () => number
  /** The time at which each path becomes due for removal, by parent directory and path. */
  readonly #dueAt = new Map<string, Map<string, number>>()
  #running: Promise<void> = Promise.resolve()

  constructor(logger: Logger, now: () => number) {
    this.#logger = logger
    this.#now = now
  }

  get size(): number {
    let sum = 0
    for (const paths of this.#dueAt.values()) sum += paths.size
    return sum
  }

  add(paths: Iterable<string>, delayMs: number): void {
    const due = this.#now() + delayMs
    for (const path of paths) {
      const dir = dirname(path)
      const inDir = this.#dueAt.get(dir) ?? new Map<string, number>()
      this.#dueAt.set(dir, inDir.set(path, due))
    }
  }

  /**
   * Removes the paths that are due. If a path cannot be removed, logs a warning and leaves it until
   * the next start.
   */
  empty(now: number): Promise<void> {
    const due: string[] = []
    for (const [dir, paths] of this.#dueAt) {
      for (const [path, at] of paths) {
        if (at > now) continue
        due.push(path)
        paths.delete(path)
      }
      if (paths.size === 0) this.#dueAt.delete(dir)
    }
    if (due.length > 0) this.#running = this.#running.then(() => this.#remove(due))
    return this.#running
  }

  async #remove(paths: readonly string[]): Promise<void> {
    for (const path of paths) {
      try {
        await slowOperations.run(() => rm(path, { recursive: true, force: true }))
      } catch (error) {
        this.#logger.warn(`Cannot remove ${path}. The next start tries again`, error)
      }
    }
  }

  /**
   * Drops the paths in a directory from the list. Call this when the directory is renamed for
   * removal, because the files in it are removed together with the directory.
   */
  dropBelow(dir: string): void {
    this.#dueAt.delete(dir)
  }
}
