/** How many bytes are allocated at a time, for many messages. */
const SLAB_BYTES = 65_536
/** Longer messages get memory of their own. */
const OWN_FROM = 16_384
/** UTF-8 needs at most so many bytes for a UTF-16 unit. */
const MOST_PER_UNIT = 3

const CLOSE = 0x7d

/**
 * Writes messages into slabs: an allocation a message, and text of the schema that is joined and encoded again for each of them, cost
 * more than the data itself.
 */
export class Slab {
  #bytes = Buffer.allocUnsafeSlow(SLAB_BYTES)
  #used = 0

  /** The bytes of `head`, then those of `payload` in UTF-8, then, where there is a head, the brace that closes it. */
  message(head: Buffer | null, payload: string): Buffer {
    const before = head?.length ?? 0
    const most = before + payload.length * MOST_PER_UNIT + 1
    if (most > OWN_FROM) return own(head, payload)
    if (this.#used + most > SLAB_BYTES) {
      this.#bytes = Buffer.allocUnsafeSlow(SLAB_BYTES)
      this.#used = 0
    }
    const bytes = this.#bytes
    const start = this.#used
    if (head) bytes.set(head, start)
    let end = start + before
    end += bytes.write(payload, end)
    if (head) bytes[end++] = CLOSE
    this.#used = end
    return bytes.subarray(start, end)
  }
}

function own(head: Buffer | null, payload: string): Buffer {
  if (head === null) return Buffer.from(payload)
  const length = Buffer.byteLength(payload)
  const bytes = Buffer.allocUnsafeSlow(head.length + length + 1)
  bytes.set(head, 0)
  bytes.write(payload, head.length)
  bytes[head.length + length] = CLOSE
  return bytes
}
