import { close, closeSync, openSync } from 'node:fs'

/**
 * A file that is opened on first use. The cache may close it when the limit of open files is
 * reached. The cache does not close a file while `pins` is above 0, because an asynchronous read or
 * write is using the file.
 */
export interface CachedFile {
  path: string
  fd: number
  pins: number
  /**
   * Whether the file was released while it was pinned. It is closed when the last pin is removed.
   */
  closeWhenUnpinned: boolean
}

export function cachedFile(path: string): CachedFile {
  return { path, fd: -1, pins: 0, closeWhenUnpinned: false }
}

/**
 * Opens files on demand, and keeps at most `limit` files open unless more are pinned. Closes the
 * least recently used file first.
 */
export class FdCache {
  readonly #limit: number
  readonly #closeDeleted: (fd: number) => void
  /** The open files, in the insertion order of the Set: the least recently used file is first. */
  readonly #open = new Set<CachedFile>()
  #latest: CachedFile | null = null

  /**
   * `closeDeleted` closes the descriptor of a deleted file. Closing such a file can take long, so
   * `closeDeleted` must not do it on this thread.
   */
  constructor(limit = 2048, closeDeleted: (fd: number) => void = fd => close(fd, () => undefined)) {
    this.#limit = limit
    this.#closeDeleted = closeDeleted
  }

  get openFiles(): number {
    return this.#open.size
  }

  /**
   * Returns the descriptor of a file. Opens the file with `flags` if it is not open. The descriptor
   * is valid only until the next event loop turn, unless the file is pinned.
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
