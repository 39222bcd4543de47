import { close, closeSync, openSync } from 'node:fs'

/**
 * A file that is opened on first use. The cache may close it if too many files are open, but not
 * while `pins` is above 0 (an asynchronous read or write is in progress).
 */
export interface CachedFile {
  path: string
  fd: number
  pins: number
  /** Whether to close the file once it has no pins, because it was deleted. */
  closeWhenUnpinned: boolean
}

export function cachedFile(path: string): CachedFile {
  return { path, fd: -1, pins: 0, closeWhenUnpinned: false }
}

/**
 * Opens files on demand and keeps at most `limit` of them open. Closes the least recently used one
 * first.
 */
export class FdCache {
  readonly #limit: number
  readonly #closeDeleted: (fd: number) => void
  /** The open files, the least recently used first. A Set keeps insertion order. */
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

  /**
   * Returns the file's descriptor for reading and writing. Opens or creates the file if necessary.
   * The descriptor is valid until the next event loop turn, or while the file is pinned.
   */
  fd(file: CachedFile, flags: 'r' | 'r+' | 'w+' = 'r+'): number {
    if (file.fd < 0) {
      if (this.#open.size >= this.#limit) this.#closeOldest()
      file.fd = openSync(file.path, flags)
      file.closeWhenUnpinned = false
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
    if (file.pins === 0 && file.closeWhenUnpinned) this.#close(file)
  }

  /** Closes a file now, or when its last pin is removed. */
  release(file: CachedFile): void {
    if (file.fd < 0) return
    if (file.pins > 0) file.closeWhenUnpinned = true
    else this.#close(file)
  }

  /** Closes all files without pins now, and the others when their pins are removed. */
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
    if (file.closeWhenUnpinned) this.#closeDeleted(fd)
    else closeSync(fd)
  }
}
