/**
 * The maximum size of a response. It is far above the default of `fetch.max.bytes`, and below the
 * maximum size of a Buffer in Node.
 */
export const MAX_FRAME_BYTES = 1024 * 1024 * 1024

/**
 * Splits a byte stream into Kafka's frames: an int32 length, then the bytes. A frame within one
 * chunk is a slice of the chunk. Other frames are copied once, when the last byte has arrived.
 */
export class FrameReader {
  #chunks: Buffer[] = []
  #buffered = 0
  /** The length of the next frame; -1 if the length has not arrived yet. */
  #frame = -1
  readonly #onFrame: (frame: Buffer) => void

  constructor(onFrame: (frame: Buffer) => void) {
    this.#onFrame = onFrame
  }

  /** Adds received bytes. Throws a RangeError for an invalid length. */
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
      // Copy the start of the next frame, so that it does not keep this buffer in memory.
      this.#chunks.push(Buffer.from(all.subarray(rest)))
      this.#buffered = all.length - rest
    }
  }

  /** Emits the complete frames in a buffer. Returns the position after the last complete frame. */
  #takeWhole(buf: Buffer): number {
    let at = 0
    for (;;) {
      if (this.#frame < 0) {
        if (buf.length - at < 4) return at
        const size = buf.readInt32BE(at)
        if (size < 4 || size > MAX_FRAME_BYTES) throw new RangeError(`invalid frame length ${size}`)
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
