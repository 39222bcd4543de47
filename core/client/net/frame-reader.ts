/** The largest response taken: above any `fetch.max.bytes`, below what Node can hold in one Buffer. */
export const MAX_FRAME_BYTES = 1024 * 1024 * 1024

/**
 * Cuts a byte stream into Kafka's frames (int32 length, then the bytes). A frame within one chunk is a slice of it; a longer one is
 * put together once, when its last byte is there.
 */
export class FrameReader {
  #chunks: Buffer[] = []
  #buffered = 0
  /** Bytes of the frame that is awaited, or -1 before its length is known. */
  #frame = -1
  readonly #onFrame: (frame: Buffer) => void

  constructor(onFrame: (frame: Buffer) => void) {
    this.#onFrame = onFrame
  }

  /** Takes what has arrived. Throws RangeError on a length that no frame can have. */
  push(chunk: Buffer): void {
    let at = 0
    if (this.#buffered === 0) at = this.#takeWhole(chunk)
    if (at === chunk.length) return
    this.#chunks.push(at === 0 ? chunk : chunk.subarray(at))
    this.#buffered += chunk.length - at
    const needed = this.#frame < 0 ? 4 : this.#frame
    if (this.#buffered < needed) return
    const all = this.#chunks.length === 1 ? this.#chunks[0]! : Buffer.concat(this.#chunks, this.#buffered)
    this.#chunks = []
    this.#buffered = 0
    const rest = this.#takeWhole(all)
    if (rest < all.length) {
      // A copy, so that the beginning of the next frame does not keep this one alive.
      this.#chunks.push(Buffer.from(all.subarray(rest)))
      this.#buffered = all.length - rest
    }
  }

  /** Hands out the whole frames of a buffer; returns where what is left begins. */
  #takeWhole(buf: Buffer): number {
    let at = 0
    for (;;) {
      if (this.#frame < 0) {
        if (buf.length - at < 4) return at
        const size = buf.readInt32BE(at)
        if (size < 4 || size > MAX_FRAME_BYTES) throw new RangeError(`a frame of ${size} bytes`)
        this.#frame = size
        at += 4
      }
      if (buf.length - at < this.#frame) return at
      const end = at + this.#frame
      this.#frame = -1
      this.#onFrame(buf.subarray(at, end))
      at = end
    }
  }
}
