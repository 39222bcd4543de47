import { readBatches } from '../../protocol/records/batch-reader.ts'
import { ProducerBatch } from './batch.ts'

/** Cuts a batch that a broker found too large into two of half as many records each, with the same senders and the same age. */
export function splitBatch(batch: ProducerBatch): ProducerBatch[] {
  const [decoded] = [...readBatches(batch.encode(), { checkCrc: false })]
  const records = decoded!.records()
  const half = Math.ceil(records.length / 2)
  const parts: ProducerBatch[] = []
  for (let from = 0; from < records.length; from += half) {
    const part = new ProducerBatch(batch.compression, batch.createdAt)
    for (let i = from; i < Math.min(from + half, records.length); i++) {
      const { key, value, headers } = records[i]!
      const { listener, token, timestamp } = batch.senderOf(i)
      part.append(key, value, timestamp, headers, 0, listener, token)
    }
    part.closed = true
    part.due = true
    part.attempts = batch.attempts
    part.uncertain = batch.uncertain
    parts.push(part)
  }
  // The memory is given back with the last part.
  parts.at(-1)!.bytes = batch.bytes
  if (batch.onDelivered) parts.at(-1)!.onDelivered = batch.onDelivered
  return parts
}
