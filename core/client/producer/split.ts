import { readBatches } from '../../protocol/records/batch-reader.ts'
import { ProducerBatch } from './batch.ts'

/** Cuts a batch that a broker found too large into two of half as many records each, with the same senders and the same age. */
export function splitBatch(batch: ProducerBatch): ProducerBatch[] {
  const half = Math.ceil(batch.count / 2)
  return regroup(batch, i => (i < half ? 0 : 1))
}

/** Cuts a batch into the records that fail (by index), and the others. */
export function separateRecords(batch: ProducerBatch, failed: (index: number) => boolean): ProducerBatch[] {
  return regroup(batch, i => (failed(i) ? 0 : 1))
}

/** Two batches with the same senders and the same age. The broker has written nothing of the one that they replace. */
function regroup(batch: ProducerBatch, partOf: (index: number) => 0 | 1): ProducerBatch[] {
  const [decoded] = [...readBatches(batch.encode(), { checkCrc: false })]
  const parts = [0, 1].map(() => new ProducerBatch(batch.compression, batch.createdAt))
  for (const [i, { key, value, headers }] of decoded!.records().entries()) {
    const { listener, token, timestamp } = batch.senderOf(i)
    parts[partOf(i)]!.append(key, value, timestamp, headers, 0, listener, token)
  }
  for (const part of parts) {
    part.closed = true
    part.due = true
    part.uncertain = batch.uncertain
  }
  // The memory is given back with the last part.
  parts.at(-1)!.bytes = batch.bytes
  if (batch.onDelivered) parts.at(-1)!.onDelivered = batch.onDelivered
  return parts
}
