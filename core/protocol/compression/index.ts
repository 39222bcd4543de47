import { ErrorCode, KafkaError } from '../error-codes.ts'
import { protocolErrors } from '../errors.ts'
import { gunzip, gzip } from './gzip.ts'
import { lz4Compress, lz4Decompress } from './lz4.ts'
import { snappyCompress, snappyDecompress } from './snappy.ts'
import { zstdCompress, zstdDecompress } from './zstd.ts'

/** The codecs and their numbers in the attributes of a batch. */
export const CompressionType = { NONE: 0, GZIP: 1, SNAPPY: 2, LZ4: 3, ZSTD: 4 } as const

export type CompressionType = (typeof CompressionType)[keyof typeof CompressionType]

/** The names of the codecs in Kafka's `compression.type`, in the order of their numbers. */
export const COMPRESSION_NAMES = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const

export type CompressionName = (typeof COMPRESSION_NAMES)[number]

/** Returns the number of a codec in a batch's attributes. */
export function compressionId(codec: CompressionName | CompressionType): CompressionType {
  return typeof codec === 'number' ? codec : (COMPRESSION_NAMES.indexOf(codec) as CompressionType)
}

/** Returns the name of a codec. */
export function compressionName(id: CompressionType): CompressionName {
  return COMPRESSION_NAMES[id]
}

/**
 * Returns the codec with a number from a batch. Throws UNSUPPORTED_COMPRESSION_TYPE for an unknown
 * number.
 */
export function toCompressionType(id: number): CompressionType {
  if (COMPRESSION_NAMES[id] === undefined)
    throw new KafkaError(ErrorCode.UNSUPPORTED_COMPRESSION_TYPE, `Compression type ${id} does not exist.`)
  return id as CompressionType
}

/** Compresses the records of a batch, in the format that Kafka's clients write. */
export function compress(codec: CompressionName | CompressionType, data: Buffer): Buffer {
  switch (compressionId(codec)) {
    case CompressionType.NONE:
      return data
    case CompressionType.GZIP:
      return gzip(data)
    case CompressionType.SNAPPY:
      return snappyCompress(data)
    case CompressionType.LZ4:
      return lz4Compress(data)
    case CompressionType.ZSTD:
      return zstdCompress(data)
  }
}

/**
 * Decompresses the records of a batch. Never allocates much more than `maxBytes`. Throws
 * MR_PROTOCOL_TOO_LARGE if the result would be longer, and MR_PROTOCOL_COMPRESSION if the data is
 * damaged.
 */
export function decompress(codec: CompressionName | CompressionType, data: Buffer, maxBytes: number): Buffer {
  switch (compressionId(codec)) {
    case CompressionType.NONE:
      if (data.length > maxBytes) throw protocolErrors.create('MR_PROTOCOL_TOO_LARGE', { limit: maxBytes })
      return data
    case CompressionType.GZIP:
      return gunzip(data, maxBytes)
    case CompressionType.SNAPPY:
      return snappyDecompress(data, maxBytes)
    case CompressionType.LZ4:
      return lz4Decompress(data, maxBytes)
    case CompressionType.ZSTD:
      return zstdDecompress(data, maxBytes)
  }
}
