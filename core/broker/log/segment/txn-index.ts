import { closeSync, constants, openSync, readFileSync, truncateSync } from 'node:fs'
import { isErrno, writeFully } from '../io/files.ts'
import { type ProducerId, readInt64, readProducerId, writeInt64 } from '../io/int64.ts'

/**
 * The size of an entry in bytes. An entry contains a version as an int16, then four int64 values.
 */
const TXN_ENTRY = 34

export interface AbortedTxn {
  readonly producerId: ProducerId
  readonly firstOffset: number
  /** The offset of the abort marker. */
  readonly lastOffset: number
  /**
   * The last stable offset after the marker was written. All transactions that start before this
   * offset end at or before the marker.
   */
  readonly lastStableOffset: number
}

/**
 * `.txnindex`: the aborted transactions whose marker is in the segment. The file exists only if
 * there are such transactions.
 */
export class TxnIndex {
  path: string
  /** The number of entries in the file. -1 if the file has not been read yet. */
  #onDisk = -1
  /** Entries that are not in the file yet. The next append tries again to write them. */
  #unwritten: AbortedTxn[] = []

  constructor(path: string, isNew: boolean) {
    this.path = path
    if (isNew) this.#onDisk = 0
  }

  /**
   * Appends an entry. If the write fails, throws and keeps the entry in memory. The next append
   * writes it.
   */
  append(txn: AbortedTxn): void {
    this.#unwritten.push(txn)
    this.writeOut()
  }

  writeOut(): void {
    if (this.#unwritten.length === 0) return
    if (this.#onDisk < 0) this.#onDisk = this.#read().length
    const entries = Buffer.alloc(this.#unwritten.length * TXN_ENTRY)
    this.#unwritten.forEach((txn, i) => {
      const at = i * TXN_ENTRY
      writeInt64(entries, txn.producerId, at + 2)
      writeInt64(entries, txn.firstOffset, at + 10)
      writeInt64(entries, txn.lastOffset, at + 18)
      writeInt64(entries, txn.lastStableOffset, at + 26)
    })
    const fd = openSync(this.path, constants.O_RDWR | constants.O_CREAT)
    try {
      writeFully(fd, entries, this.#onDisk * TXN_ENTRY)
    } finally {
      closeSync(fd)
    }
    this.#onDisk += this.#unwritten.length
    this.#unwritten = []
  }

  /** Returns all entries, in the order of their markers. */
  all(): AbortedTxn[] {
    if (this.#onDisk === 0) return this.#unwritten
    const stored = this.#read()
    this.#onDisk = stored.length
    return [...stored, ...this.#unwritten]
  }

  /** Removes the entries of transactions whose marker is at or above an offset. */
  truncateFrom(offset: number): void {
    this.#unwritten = this.#unwritten.filter(t => t.lastOffset < offset)
    if (this.#onDisk === 0) return
    const stored = this.#read()
    const kept = stored.filter(t => t.lastOffset < offset).length
    if (kept < stored.length) truncateSync(this.path, kept * TXN_ENTRY)
    this.#onDisk = kept
  }

  #read(): AbortedTxn[] {
    let bytes: Buffer
    try {
      bytes = readFileSync(this.path)
    } catch (error) {
      if (isErrno(error, 'ENOENT')) return []
      throw error
    }
    const txns: AbortedTxn[] = []
    for (let at = 0; at + TXN_ENTRY <= bytes.length; at += TXN_ENTRY) {
      txns.push({
        producerId: readProducerId(bytes, at + 2),
        firstOffset: readInt64(bytes, at + 10),
        lastOffset: readInt64(bytes, at + 18),
        lastStableOffset: readInt64(bytes, at + 26),
      })
    }
    return txns
  }
}
