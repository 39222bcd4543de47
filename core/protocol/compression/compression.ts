import { ErrorCode, KafkaError } from '../error-codes.ts'
import { protocolErrors } from '../errors.ts'
import { gunzip, gzip } from './gzip.ts'
import { lz4Compress, lz4Decompress } from './lz4.ts'
import { snappyCompress, snappyDecompress } from './snappy.ts'
import { zstdCompress, zstdDecompress } from './zstd.ts'

/** The codecs by their number in a batch's attributes, with the names of Kafka's `compression.type`. */
const NAMES = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const

export type CompressionName = (typeof NAMES)[number]

/** The number of a codec in a batch's attributes. */
export function compressionId(name: CompressionName): number {
  return NAMES.indexOf(name)
}

/** The codec of a number; throws UNSUPPORTED_COMPRESSION_TYPE on one that means nothing. */
export function compressionName(id: number): CompressionName {
  const name = NAMES[id]
  if (!name) throw new KafkaError(ErrorCode.UNSUPPORTED_COMPRESSION_TYPE, `Compression type ${id} does not exist.`)
  return name
}

/** Compresses the records of a batch in the framing that Kafka's clients write. */
export function compress(type: CompressionName, data: Buffer): Buffer {
  switch (type) {
    case 'none':
      return data
    case 'gzip':
      return gzip(data)
    case 'snappy':
      return snappyCompress(data)
    case 'lz4':
      return lz4Compress(data)
    case 'zstd':
      return zstdCompress(data)
  }
}

/**
 * Decompresses the records of a batch. Never allocates much more than `maxBytes`: what would be longer ends in
 * MR_PROTOCOL_TOO_LARGE, what is damaged in MR_PROTOCOL_COMPRESSION.
 */
export function decompress(type: CompressionName, data: Buffer, maxBytes: number): Buffer {
  switch (type) {
    case 'none':
      if (data.length > maxBytes) throw protocolErrors.create('MR_PROTOCOL_TOO_LARGE', { limit: maxBytes })
      return data
    case 'gzip':
      return gunzip(data, maxBytes)
    case 'snappy':
      return snappyDecompress(data, maxBytes)
    case 'lz4':
      return lz4Decompress(data, maxBytes)
    case 'zstd':
      return zstdDecompress(data, maxBytes)
  }
}
