import { hash } from 'node:crypto'

const HASH_BYTES = 16
/**
 * A slot contains a key's hash and, as a double, its offset plus one. A double is exact up to 2^53.
 * Newly allocated memory is zero, so 0 means an empty slot.
 */
const SLOT_BYTES = 24
const MAX_LOAD = 0.75

/**
 * Maps each key to its latest offset, in a fixed amount of memory. The map stores a 128-bit hash of
 * each key, so a key of any size uses 24 bytes (32 including empty slots). A collision of two
 * hashes is as unlikely as an undetected disk error.
 */
export class OffsetMap {
  readonly #slots: Buffer
  readonly #capacity: number
  #size = 0

  /** Allocates space for `keys` keys, but at most `maxBytes`. */
  constructor(keys: number, maxBytes: number) {
    const wanted = Math.ceil((Math.max(16, keys) / MAX_LOAD) * 1.05)
    this.#capacity = Math.max(16, Math.min(wanted, Math.floor(maxBytes / SLOT_BYTES)))
    this.#slots = Buffer.alloc(this.#capacity * SLOT_BYTES)
  }

  get size(): number {
    return this.#size
  }

  /** Whether the map has no space for another key. */
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

  /** Returns the latest offset of a key, or -1 if the key is not in the map. */
  get(key: Buffer): number {
    return this.#slots.readDoubleBE(this.#find(digestOf(key)) + HASH_BYTES) - 1
  }

  /** Returns the position of the slot that contains a hash, or of the empty slot for it. */
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
