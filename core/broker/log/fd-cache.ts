import { close, closeSync, openSync } from 'node:fs'

/**
 * A file that is opened when first used and may be closed behind its back when too many are open. While `pins` is above 0
 * (an asynchronous read or write is under way) it stays open.
 */
export interface CachedFile {
  path: string
  fd: number
  pins: number
  /** Close as soon as nobody pins it: the file is gone. */
  doomed: boolean
}

export function cachedFile(path: string): CachedFile {
  return { path, fd: -1, pins: 0, doomed: false }
}

/** Opens files lazily and keeps at most `limit` of them open, closing the least recently used. */
export class FdCache {
  readonly #limit: number
  readonly #closeDeleted: (fd: number) => void
  /** Open files, the least recently used first: a Set keeps the order of insertion. */
  readonly #open = new Set<CachedFile>()
  #latest: CachedFile | null = null

  /**
   * `closeDeleted` closes a deleted file. This can take long, so it does not run on this thread.
   */
  constructor(limit = 2048, closeDeleted: (fd: number) => void = fd => close(fd, () => undefined)) {
    this.#limit = limit
    this.#closeDeleted = closeDeleted
  }

  get openFiles(): number {
    return this.#open.size
  }

  /** The file's descriptor, for reading and writing, opened (and created) if need be; valid until the next turn unless pinned. */
  fd(file: CachedFile, flags: 'r' | 'r+' | 'w+' = 'r+'): number {
    if (file.fd < 0) {
      if (this.#open.size >= this.#limit) this.#closeOldest()
      file.fd = openSync(file.path, flags)
      file.doomed = false
    } else if (this.#latest === file) return file.fd
    this.#open.delete(file)
    this.#open.add(file)
    this.#latest = file
    return file.fd
  }

  pin(file: CachedFile): number {
    const fd = this.fd(file)
    file.pins++
    return fd
  }

  unpin(file: CachedFile): void {
    file.pins--
    if (file.pins === 0 && file.doomed) this.#close(file)
  }

  /** Closes a file now, or when its last pin goes. */
  release(file: CachedFile): void {
    if (file.fd < 0) return
    if (file.pins > 0) file.doomed = true
    else this.#close(file)
  }

  /** Closes all that nobody pins, the others when their pins go. */
  releaseAll(): void {
    for (const file of this.#open) this.release(file)
  }

  #closeOldest(): void {
    for (const file of this.#open) {
      if (file.pins > 0) continue
      this.#close(file)
      return
    }
  }

  #close(file: CachedFile): void {
    const fd = file.fd
    file.fd = -1
    this.#open.delete(file)
    if (this.#latest === file) this.#latest = null
    if (file.doomed) this.#closeDeleted(fd)
    else closeSync(fd)
  }
}
