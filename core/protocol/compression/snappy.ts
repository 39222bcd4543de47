import { damaged, tooLarge } from './failures.ts'
import { Output } from './output.ts'
import { wasmUtils } from './wasm.ts'

/**
 * Snappy in the stream format of xerial's snappy-java, which Kafka's clients write. A stream is a
 * header of 16 bytes, then blocks. Each block is an int32 length and a raw Snappy block. The
 * decompressor also reads a single raw block, which some clients write instead of a stream. The
 * decompressor does not use the WebAssembly module, because that module crashes on damaged data,
 * and allocates any size that the data announces.
 */
const MAGIC = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00])
const HEADER = Buffer.concat([MAGIC, Buffer.from([0, 0, 0, 1, 0, 0, 0, 1])])
/** The block size of snappy-java. */
const BLOCK_SIZE = 32 * 1024

export function snappyCompress(data: Buffer): Buffer {
  const { snappyCompress: compressBlock } = wasmUtils()
  const parts: Buffer[] = [HEADER]
  for (let at = 0; at < data.length; at += BLOCK_SIZE) {
    const block = compressBlock(data.subarray(at, at + BLOCK_SIZE))
    const length = Buffer.allocUnsafe(4)
    length.writeInt32BE(block.length)
    parts.push(length, block)
  }
  return Buffer.concat(parts)
}

export function snappyDecompress(data: Buffer, maxBytes: number): Buffer {
  const out = new Output(Math.min(data.length * 3, 1 << 20), maxBytes)
  if (!startsWithMagic(data, 0)) {
    decodeBlock(data, 0, data.length, out, maxBytes)
    return out.finish()
  }
  let at = 0
  while (at < data.length) {
    // If several streams follow each other, each stream begins with its own header.
    if (startsWithMagic(data, at)) {
      at += HEADER.length
      continue
    }
    if (at + 4 > data.length) throw damaged('snappy', 'a block has no length')
    const length = data.readInt32BE(at)
    at += 4
    if (length < 0 || length > data.length - at)
      throw damaged('snappy', `a block has ${length} bytes, but only ${data.length - at} remain`)
    decodeBlock(data, at, at + length, out, maxBytes)
    at += length
  }
  if (at > data.length) throw damaged('snappy', 'the header is truncated')
  return out.finish()
}

function startsWithMagic(data: Buffer, at: number): boolean {
  return data.length - at >= MAGIC.length && data.compare(MAGIC, 0, MAGIC.length, at, at + MAGIC.length) === 0
}

/**
 * Decodes a raw block. A raw block contains its uncompressed length as a varint, then literals and
 * copies (google/snappy, format_description.txt).
 */
function decodeBlock(data: Buffer, start: number, end: number, out: Output, maxBytes: number): void {
  let at = start
  let announced = 0
  for (let shift = 0; ; shift += 7) {
    if (at >= end || shift > 28) throw damaged('snappy', 'a block has no length')
    const byte = data[at++]!
    announced += (byte & 0x7f) * 2 ** shift
    if (byte < 0x80) break
  }
  const base = out.pos
  if (announced > maxBytes - base) throw tooLarge(maxBytes)
  while (at < end) {
    const tag = data[at++]!
    const kind = tag & 3
    if (kind === 0) {
      let length = tag >>> 2
      if (length >= 60) {
        const extra = length - 59
        if (at + extra > end) throw damaged('snappy', 'a literal is truncated')
        length = data.readUIntLE(at, extra)
        at += extra
      }
      length++
      if (length > end - at) throw damaged('snappy', 'a literal is truncated')
      out.literal(data, at, length)
      at += length
      continue
    }
    const extra = kind === 3 ? 4 : kind
    if (at + extra > end) throw damaged('snappy', 'a copy is truncated')
    const length = kind === 1 ? ((tag >>> 2) & 7) + 4 : (tag >>> 2) + 1
    let distance = data[at]!
    if (kind === 1) distance |= (tag >>> 5) << 8
    else distance |= data[at + 1]! << 8
    if (kind === 3) distance = data.readUInt32LE(at)
    at += extra
    if (distance === 0 || distance > out.pos - base) throw damaged('snappy', `a copy has distance ${distance}`)
    out.match(distance, length)
  }
  if (out.pos - base !== announced)
    throw damaged('snappy', `a block announces ${announced} bytes, but contains ${out.pos - base}`)
}
