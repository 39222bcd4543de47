/** The size of an allocation, in bytes. It is used for many messages. */
const SLAB_BYTES = 65_536
/** Longer messages get a separate allocation. */
const MAX_SHARED_BYTES = 16_384
/** The maximum number of UTF-8 bytes for a UTF-16 code unit. */
const MAX_BYTES_PER_UNIT = 3

const CLOSE = 0x7d

/**
 * Writes messages into large buffers. An allocation per message, and encoding the text of the
 * schema for each message, would cost more than encoding the data.
 */
export class Slab {
  #bytes = Buffer.allocUnsafeSlow(SLAB_BYTES)
  #used = 0

  /**
   * Returns the bytes of `head`, then `payload` in UTF-8, then a closing brace if there is a head.
   */
  message(head: Buffer | null, payload: string): Buffer {
    const before = head?.length ?? 0
    const maxLength = before + payload.length * MAX_BYTES_PER_UNIT + 1
    if (maxLength > MAX_SHARED_BYTES) return separate(head, payload)
    if (this.#used + maxLength > SLAB_BYTES) {
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

function separate(head: Buffer | null, payload: string): Buffer {
  if (head === null) return Buffer.from(payload)
  const length = Buffer.byteLength(payload)
  const bytes = Buffer.allocUnsafeSlow(head.length + length + 1)
  bytes.set(head, 0)
  bytes.write(payload, head.length)
  bytes[head.length + length] = CLOSE
  return bytes
}
