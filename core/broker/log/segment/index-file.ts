import { closeSync, constants, ftruncateSync, openSync, readFileSync, readSync, statSync } from 'node:fs'
import { isErrno, writeFully } from '../io/files.ts'

/**
 * The entries of an index file. New entries remain in memory and are written in groups. This is
 * safe because an index can be rebuilt from its segment. A lookup reads the whole file.
 */
export class IndexFile {
  path: string
  readonly entrySize: number
  #onDisk: number
  #pending: Buffer
  #pendingCount = 0
  #loaded: WeakRef<Buffer> | null = null

  /**
   * `count` is the number of valid entries in the file. The next write truncates the file after
   * these entries.
   */
  constructor(path: string, entrySize: number, count: number) {
    this.path = path
    this.entrySize = entrySize
    this.#onDisk = count
    this.#pending = NONE
  }

  get count(): number {
    return this.#onDisk + this.#pendingCount
  }

  get pendingCount(): number {
    return this.#pendingCount
  }

  /**
   * Allocates a new entry in memory. The caller must immediately write the entry to `buffer` at
   * position `at`.
   */
  reserve(): { buffer: Buffer; at: number } {
    const at = this.#pendingCount * this.entrySize
    if (at + this.entrySize > this.#pending.length) {
      const larger = Buffer.alloc(Math.max(this.entrySize * 8, this.#pending.length * 2))
      this.#pending.copy(larger, 0, 0, at)
      this.#pending = larger
    }
    this.#pendingCount++
    return { buffer: this.#pending, at }
  }

  /** Returns the entries that are not written to the file yet. */
  pending(): Buffer {
    return this.#pending.subarray(0, this.#pendingCount * this.entrySize)
  }

  /**
   * Returns the entries in the file. They are cached until the garbage collector needs the memory.
   */
  stored(): Buffer {
    const size = this.#onDisk * this.entrySize
    if (size === 0) return NONE
    const known = this.#loaded?.deref()
    if (known !== undefined && known.length >= size) return known.length === size ? known : known.subarray(0, size)
    const bytes = readFileSync(this.path).subarray(0, size)
    this.#loaded = new WeakRef(bytes)
    return bytes
  }

  /** Reads one entry from the file. */
  storedEntry(n: number): Buffer {
    const entry = Buffer.alloc(this.entrySize)
    const fd = openSync(this.path, 'r')
    try {
      readSync(fd, entry, 0, this.entrySize, n * this.entrySize)
    } finally {
      closeSync(fd)
    }
    return entry
  }

  /**
   * Appends the entries in memory to the valid entries of the file, and removes any other bytes.
   */
  writeOut(): void {
    if (this.#pendingCount === 0) return
    const out = openSync(this.path, constants.O_RDWR | constants.O_CREAT)
    try {
      const at = this.#onDisk * this.entrySize
      ftruncateSync(out, at)
      writeFully(out, this.pending(), at)
    } finally {
      closeSync(out)
    }
    this.#onDisk += this.#pendingCount
    this.#pendingCount = 0
    this.#pending = NONE
  }

  /** Removes all entries, and truncates the file to 0 bytes or creates it. */
  clear(): void {
    this.#onDisk = 0
    this.#pendingCount = 0
    this.#pending = NONE
    this.#loaded = null
    closeSync(openSync(this.path, 'w'))
  }
}

const NONE = Buffer.alloc(0)

/**
 * Returns the number of entries in an index file. Returns -1 if the file does not exist, or if its
 * size is not a multiple of the entry size.
 */
export function entriesInFile(path: string, entrySize: number): number {
  let size: number
  try {
    size = statSync(path).size
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return -1
    throw error
  }
  return size % entrySize === 0 ? size / entrySize : -1
}
