/** The size of an allocation, in bytes. Many messages share one allocation. */
const SLAB_BYTES = 65_536
/**
 * The maximum size, in bytes, of a message in a shared allocation. Longer messages get their own.
 */
const MAX_SHARED_BYTES = 16_384
/** The maximum number of UTF-8 bytes for one UTF-16 code unit. */
const MAX_BYTES_PER_UNIT = 3

const CLOSE = 0x7d

/**
 * Writes many messages into one large buffer. An allocation per message, and encoding the text of
 * the schema for each message, would take more time than encoding the data.
 */
export class Slab {
  #bytes = Buffer.allocUnsafeSlow(SLAB_BYTES)
  #used = 0

  /**
   * Returns a message: the bytes of `head`, and `payload` in UTF-8. With a head, a closing brace is
   * added.
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
