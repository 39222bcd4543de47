import { hash } from 'node:crypto'

const HASH_BYTES = 16
/** The hash, and the offset plus one as a double: exact up to 2^53, and 0 in an empty slot, as memory comes. */
const SLOT_BYTES = 24
const MAX_LOAD = 0.75

/**
 * The latest offset of each key, by a 128-bit hash of the key, in a fixed amount of memory. So keys of any size cost 24
 * bytes (32 with the slack); two keys with one hash are as likely as an undetected disk fault is not.
 */
export class OffsetMap {
  readonly #slots: Buffer
  readonly #capacity: number
  #size = 0

  /** For up to `keys` keys, in at most `maxBytes`. */
  constructor(keys: number, maxBytes: number) {
    const wanted = Math.ceil((Math.max(16, keys) / MAX_LOAD) * 1.05)
    this.#capacity = Math.max(16, Math.min(wanted, Math.floor(maxBytes / SLOT_BYTES)))
    this.#slots = Buffer.alloc(this.#capacity * SLOT_BYTES)
  }

  get size(): number {
    return this.#size
  }

  /** No further key fits. */
  get isFull(): boolean {
    return this.#size >= Math.floor(this.#capacity * MAX_LOAD)
  }

  put(key: Buffer, offset: number): void {
    const digest = digestOf(key)
    const at = this.#find(digest)
    if (this.#slots.readDoubleBE(at + HASH_BYTES) === 0) {
      digest.copy(this.#slots, at, 0, HASH_BYTES)
      this.#size++
    }
    this.#slots.writeDoubleBE(offset + 1, at + HASH_BYTES)
  }

  /** The latest offset of a key; -1 when it was not put. */
  get(key: Buffer): number {
    return this.#slots.readDoubleBE(this.#find(digestOf(key)) + HASH_BYTES) - 1
  }

  /** Where a hash is, or would be put. */
  #find(digest: Buffer): number {
    let slot = digest.readUInt32BE(0) % this.#capacity
    for (;;) {
      const at = slot * SLOT_BYTES
      const taken = this.#slots.readDoubleBE(at + HASH_BYTES) !== 0
      if (!taken || this.#slots.compare(digest, 0, HASH_BYTES, at, at + HASH_BYTES) === 0) return at
      slot = slot + 1 === this.#capacity ? 0 : slot + 1
    }
  }
}

function digestOf(key: Buffer): Buffer {
  return hash('sha256', key, 'buffer')
}
