import { closeSync, constants, ftruncateSync, openSync, readFileSync, readSync, statSync } from 'node:fs'
import { isErrno, writeFully } from '../files.ts'

/**
 * The entries of an index file: those on disk, and those still in memory. Entries are written out some at a time, since an
 * index can be rebuilt from its segment; the ones on disk are read as a whole when somebody looks something up.
 */
export class IndexFile {
  path: string
  readonly entrySize: number
  #onDisk: number
  #pending: Buffer
  #pendingCount = 0
  #loaded: WeakRef<Buffer> | null = null

  /** `count` entries are in the file already; whatever follows them is cut off with the next write. */
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

  /** Room for one more entry: the caller fills it in at once. */
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

  /** The entries in memory only. */
  pending(): Buffer {
    return this.#pending.subarray(0, this.#pendingCount * this.entrySize)
  }

  /** The entries on disk, read as a whole and kept while memory allows. */
  stored(): Buffer {
    const size = this.#onDisk * this.entrySize
    if (size === 0) return NONE
    const known = this.#loaded?.deref()
    if (known !== undefined && known.length >= size) return known.length === size ? known : known.subarray(0, size)
    const bytes = readFileSync(this.path).subarray(0, size)
    this.#loaded = new WeakRef(bytes)
    return bytes
  }

  /** One entry of those on disk. */
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

  /** Appends what is in memory to the file, and cuts off whatever else the file had there. */
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

  /** Forgets all entries and empties the file, making it if it is not there. */
  clear(): void {
    this.#onDisk = 0
    this.#pendingCount = 0
    this.#pending = NONE
    this.#loaded = null
    closeSync(openSync(this.path, 'w'))
  }
}

const NONE = Buffer.alloc(0)

/** The number of whole entries in an index file; -1 when it is absent or its size is not a multiple of an entry's. */
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
