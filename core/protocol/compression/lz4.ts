import { damaged } from './failures.ts'
import { Output } from './output.ts'
import { wasmUtils } from './wasm.ts'
import { xxhash32 } from './xxhash32.ts'

/**
 * LZ4 in frame format 1.6, which Kafka's batches of format 2 use. (Kafka's incorrect header
 * checksum occurs only in batches of formats 0 and 1.) The compressor writes independent blocks
 * without checksums. The decompressor reads every frame that needs no dictionary, including frames
 * with linked blocks.
 */
const FRAME_MAGIC = 0x184d2204

const VERSION_MASK = 0xc0
const VERSION_1 = 0x40
const BLOCK_CHECKSUM = 0x10
const CONTENT_SIZE = 0x08
const CONTENT_CHECKSUM = 0x04
const DICTIONARY = 0x01
const INDEPENDENT_BLOCKS = 0x20

/**
 * The compressed form of empty data: a frame without blocks. The WebAssembly module rejects empty
 * input.
 */
const EMPTY_FRAME = Buffer.from('04224d18604082' + '00000000', 'hex')

export function lz4Compress(data: Buffer): Buffer {
  if (data.length === 0) return EMPTY_FRAME
  return wasmUtils().lz4Compress(data)
}

/** Decompresses the first frame. Ignores later bytes, as Kafka's Java client does. */
export function lz4Decompress(data: Buffer, maxBytes: number): Buffer {
  const out = new Output(Math.min(data.length * 3, 1 << 20), maxBytes)
  need(data, 0, 4)
  if (data.readUInt32LE(0) !== FRAME_MAGIC) throw damaged('lz4', 'it does not start with a frame')
  decodeFrame(data, 4, out)
  return out.finish()
}

function need(data: Buffer, at: number, length: number): void {
  if (length > data.length - at) throw damaged('lz4', 'it is truncated')
}

/** Decodes a frame. `start` is the position after the magic number. */
function decodeFrame(data: Buffer, start: number, out: Output): void {
  need(data, start, 3)
  const flags = data[start]!
  if ((flags & VERSION_MASK) !== VERSION_1) throw damaged('lz4', `it has frame version ${flags >>> 6}`)
  if (flags & DICTIONARY) throw damaged('lz4', 'it needs a dictionary')
  const sizeCode = (data[start + 1]! >>> 4) & 7
  if (sizeCode < 4) throw damaged('lz4', `it has block size code ${sizeCode}`)
  const maxBlock = 1 << (8 + 2 * sizeCode)
  const begin = out.pos
  let at = start + 2
  let contentSize = -1
  if (flags & CONTENT_SIZE) {
    need(data, at, 9)
    contentSize = data.readUInt32LE(at) + data.readUInt32LE(at + 4) * 4294967296
    at += 8
  }
  if (data[at] !== ((xxhash32(data, start, at) >>> 8) & 0xff))
    throw damaged('lz4', "the frame header's checksum is wrong")
  at++
  for (;;) {
    need(data, at, 4)
    const raw = data.readUInt32LE(at)
    at += 4
    if (raw === 0) break
    const length = raw & 0x7fffffff
    // The high bit marks a block that is stored uncompressed. The length of a block, compressed or
    // not, must not exceed the block size of the frame.
    if (length > maxBlock) throw damaged('lz4', `a block has ${length} bytes, but the frame allows ${maxBlock}`)
    need(data, at, length)
    const before = out.pos
    if (raw >>> 31) out.literal(data, at, length)
    else {
      const floor = flags & INDEPENDENT_BLOCKS ? before : begin
      decodeBlock(data, out, { start: at, end: at + length, floor, ceiling: before + maxBlock })
    }
    if (flags & BLOCK_CHECKSUM) {
      need(data, at + length, 4)
      if (xxhash32(data, at, at + length) !== data.readUInt32LE(at + length))
        throw damaged('lz4', 'the checksum of a block is wrong')
      at += 4
    }
    at += length
  }
  if (flags & CONTENT_CHECKSUM) {
    need(data, at, 4)
    if (xxhash32(out.buf, begin, out.pos) !== data.readUInt32LE(at)) throw damaged('lz4', 'the checksum is wrong')
  }
  if (contentSize >= 0 && contentSize !== out.pos - begin)
    throw damaged('lz4', `it announces ${contentSize} bytes, but contains ${out.pos - begin}`)
}

interface Block {
  readonly start: number
  readonly end: number
  /** The lowest output position to which a match may refer. */
  readonly floor: number
  /** The output position that the content of the block must not exceed. */
  readonly ceiling: number
}

/** Decodes a compressed block, which is a sequence of literals and matches. */
function decodeBlock(data: Buffer, out: Output, { start, end, floor, ceiling }: Block): void {
  let at = start
  while (at < end) {
    const token = data[at++]!
    let length = token >>> 4
    if (length === 15) {
      let more = 255
      while (more === 255) {
        if (at >= end) throw damaged('lz4', 'a length is truncated')
        more = data[at++]!
        length += more
      }
    }
    if (length > end - at || out.pos + length > ceiling) throw damaged('lz4', 'literals extend past the end')
    out.literal(data, at, length)
    at += length
    if (at === end) return
    if (end - at < 2) throw damaged('lz4', 'a match is truncated')
    const distance = data[at]! | (data[at + 1]! << 8)
    at += 2
    length = (token & 15) + 4
    if (length === 19) {
      let more = 255
      while (more === 255) {
        if (at >= end) throw damaged('lz4', 'a length is truncated')
        more = data[at++]!
        length += more
      }
    }
    if (distance === 0 || distance > out.pos - floor) throw damaged('lz4', `a match has distance ${distance}`)
    if (out.pos + length > ceiling) throw damaged('lz4', 'a match extends past the end')
    out.match(distance, length)
  }
}
