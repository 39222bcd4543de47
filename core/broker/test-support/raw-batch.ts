import { type CompressionName, compress, compressionId } from '../../protocol/compression/index.ts'
import * as header from '../../protocol/records/batch-header.ts'
import { crc32c } from '../../protocol/records/crc32c.ts'

/** A record whose fields can have invalid values. */
export interface RawRecord {
  /** The length of the record. The default is correct. */
  readonly length?: number
  readonly attributes?: number
  readonly timestampDelta?: bigint
  /** The default is the index of the record in the batch. */
  readonly offsetDelta?: number
  /** The default is `k` and the index of the record in the batch. */
  readonly key?: string | null
  /** The length of the key. The default is correct. */
  readonly keyLength?: number
  readonly value?: string | null
  readonly valueLength?: number
  readonly headers?: readonly { readonly key: string; readonly value: string | null; readonly keyLength?: number }[]
  readonly headerCount?: number
  /** The bytes of the whole record. If they are set, all other fields are ignored. */
  readonly bytes?: Buffer
}

/** A batch whose fields can have invalid values. The checksum is correct unless `crc` is set. */
export interface RawBatch {
  readonly records?: readonly RawRecord[]
  readonly codec?: CompressionName
  /** Returns the bytes that follow the header in place of the compressed records. */
  readonly body?: (compressed: Buffer) => Buffer
  readonly baseOffset?: bigint
  /** The length field of the batch. The default is correct. */
  readonly length?: number
  readonly leaderEpoch?: number
  readonly magic?: number
  readonly crc?: number
  /** The attributes. By default, they contain only the codec. */
  readonly attributes?: number
  readonly lastOffsetDelta?: number
  readonly baseTimestamp?: bigint
  readonly maxTimestamp?: bigint
  readonly producerId?: bigint
  readonly producerEpoch?: number
  readonly baseSequence?: number
  readonly count?: number
}

export const LOG_APPEND_TIME = header.LOG_APPEND_TIME_FLAG
export const TRANSACTIONAL = header.TRANSACTIONAL_FLAG
export const CONTROL = header.CONTROL_FLAG
export const DELETE_HORIZON = header.DELETE_HORIZON_FLAG

export const MAX64 = 2n ** 63n - 1n
export const MIN64 = -(2n ** 63n)
export const MAX32 = 0x7fffffff
export const MIN32 = -0x80000000

/** Returns a number as a zigzag varint of up to 64 bits. */
export function varint(value: number | bigint): Buffer {
  const n = BigInt(value)
  let rest = BigInt.asUintN(64, (n << 1n) ^ (n >> 63n))
  const bytes: number[] = []
  for (; rest > 0x7fn; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80)
  bytes.push(Number(rest))
  return Buffer.from(bytes)
}

function field(text: string | null, length: number | undefined): Buffer[] {
  const bytes = text === null ? Buffer.alloc(0) : Buffer.from(text)
  return [varint(length ?? (text === null ? -1 : bytes.length)), bytes]
}

export function rawRecord(r: RawRecord, place: number): Buffer {
  if (r.bytes) return r.bytes
  const headers = r.headers ?? []
  const body = Buffer.concat([
    Buffer.from([r.attributes ?? 0]),
    varint(r.timestampDelta ?? 0n),
    varint(r.offsetDelta ?? place),
    ...field(r.key === undefined ? `k${place}` : r.key, r.keyLength),
    ...field(r.value === undefined ? `v${place}` : r.value, r.valueLength),
    varint(r.headerCount ?? headers.length),
    ...headers.flatMap(h => [...field(h.key, h.keyLength), ...field(h.value, undefined)]),
  ])
  return Buffer.concat([varint(r.length ?? body.length), body])
}

/**
 * Returns the bytes of a batch, as a producer sends them. `now` is the default timestamp of the
 * batch and its records.
 */
export function rawBatch(b: RawBatch, now: bigint): Buffer {
  const records = b.records ?? [{}, {}]
  const codec = b.codec ?? 'none'
  const plain = Buffer.concat(records.map(rawRecord))
  const compressed = compress(codec, plain)
  const body = b.body ? b.body(compressed) : compressed
  const batch = Buffer.concat([Buffer.alloc(header.HEADER_SIZE), body])
  batch.writeBigInt64BE(b.baseOffset ?? 0n, header.BASE_OFFSET)
  batch.writeInt32BE(b.length ?? batch.length - header.LOG_OVERHEAD, header.BATCH_LENGTH)
  batch.writeInt32BE(b.leaderEpoch ?? -1, header.LEADER_EPOCH)
  batch.writeInt8(b.magic ?? header.MAGIC_V2, header.MAGIC)
  batch.writeInt16BE(b.attributes ?? compressionId(codec), header.ATTRIBUTES)
  batch.writeInt32BE(b.lastOffsetDelta ?? records.length - 1, header.LAST_OFFSET_DELTA)
  batch.writeBigInt64BE(b.baseTimestamp ?? now, header.BASE_TIMESTAMP)
  batch.writeBigInt64BE(b.maxTimestamp ?? now, header.MAX_TIMESTAMP)
  batch.writeBigInt64BE(b.producerId ?? -1n, header.PRODUCER_ID)
  batch.writeInt16BE(b.producerEpoch ?? -1, header.PRODUCER_EPOCH)
  batch.writeInt32BE(b.baseSequence ?? -1, header.BASE_SEQUENCE)
  batch.writeInt32BE(b.count ?? records.length, header.RECORD_COUNT)
  const end =
    b.length === undefined ? batch.length : Math.min(batch.length, Math.max(22, b.length + header.LOG_OVERHEAD))
  batch.writeUInt32BE(b.crc ?? crcOf(batch, end), header.CRC)
  return batch
}

function crcOf(batch: Buffer, end: number): number {
  return crc32c(batch, header.ATTRIBUTES, end)
}
