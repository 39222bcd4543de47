import { closeSync, constants, ftruncateSync, openSync, readFileSync, readSync, statSync } from 'node:fs'
import { isErrno, writeFully } from '../io/files.ts'

/**
 * The entries of an index file, on disk and in memory. New entries are written in groups, because
 * an index can be rebuilt from its segment. Entries on disk are read as a whole for a lookup.
 */
export class IndexFile {
  path: string
  readonly entrySize: number
  #onDisk: number
  #pending: Buffer
  #pendingCount = 0
  #loaded: WeakRef<Buffer> | null = null

  /** The file already contains `count` entries. The next write truncates anything after them. */
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

  /** Allocates one more entry, which the caller must fill immediately. */
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

  /** The entries that are not written yet. */
  pending(): Buffer {
    return this.#pending.subarray(0, this.#pendingCount * this.entrySize)
  }

  /** The entries on disk, which are read as a whole and cached while memory allows. */
  stored(): Buffer {
    const size = this.#onDisk * this.entrySize
    if (size === 0) return NONE
    const known = this.#loaded?.deref()
    if (known !== undefined && known.length >= size) return known.length === size ? known : known.subarray(0, size)
    const bytes = readFileSync(this.path).subarray(0, size)
    this.#loaded = new WeakRef(bytes)
    return bytes
  }

  /** One entry from disk. */
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

  /** Appends the entries in memory to the file, and truncates anything else there. */
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

  /** Removes all entries and empties the file. Creates the file if it does not exist. */
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
 * Returns the number of entries in an index file. -1 if the file does not exist or its size is not
 * a multiple of the entry size.
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
