import { type CompressionType, compress, compressionId, decompress } from '../../protocol/compression/index.ts'
import * as header from '../../protocol/records/batch-header.ts'
import type { TopicCompression } from './types.ts'

/** A batch that grows beyond this when decompressed is refused. */
const MAX_DECOMPRESSED = 256 << 20

/** The batches with the topic's compression; those that have it already stay as they are. Checks what it decompresses. */
export function recompress(
  records: Buffer,
  target: Exclude<TopicCompression, 'producer'>,
  maxBatchBytes: number,
): Buffer {
  const wanted = compressionId(target === 'uncompressed' ? 'none' : target)
  const parts: Buffer[] = []
  for (let at = 0; at < records.length; ) {
    const { size, compression } = header.validateBatch(records, at, records.length, { maxBatchBytes })
    const batch = records.subarray(at, at + size)
    parts.push(compression === wanted ? batch : recompressBatch(batch, compression, wanted))
    at += size
  }
  return parts.length === 1 ? parts[0]! : Buffer.concat(parts)
}

function recompressBatch(batch: Buffer, from: CompressionType, wanted: CompressionType): Buffer {
  const plain = decompress(from, batch.subarray(header.HEADER_SIZE), MAX_DECOMPRESSED)
  const rewritten = Buffer.concat([batch.subarray(0, header.HEADER_SIZE), compress(wanted, plain)])
  rewritten.writeInt32BE(rewritten.length - header.LOG_OVERHEAD, header.BATCH_LENGTH)
  const attributes = header.attributes(rewritten, 0) & ~header.COMPRESSION_MASK
  rewritten.writeInt16BE(attributes | wanted, header.ATTRIBUTES)
  header.updateCrc(rewritten, 0)
  return rewritten
}
