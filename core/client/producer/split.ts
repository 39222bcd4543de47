import { readBatches } from '../../protocol/records/batch-reader.ts'
import { ProducerBatch } from './batch.ts'

/** Splits a batch that is too large for the broker into two halves. */
export function splitBatch(batch: ProducerBatch): ProducerBatch[] {
  const half = Math.ceil(batch.count / 2)
  return cut(batch, i => i === half)
}

/** Splits a batch, in order, into runs of records that either all fail or all do not. */
export function separateRecords(batch: ProducerBatch, fails: (index: number) => boolean) {
  const starts: number[] = []
  const parts = cut(batch, i => {
    const begins = i === 0 || fails(i) !== fails(i - 1)
    if (begins) starts.push(i)
    return begins && i > 0
  })
  return parts.map((part, n) => ({ part, fails: fails(starts[n]!) }))
}

/**
 * New batches with the sends and age of the one that they replace, of which the broker has written
 * nothing.
 */
function cut(batch: ProducerBatch, before: (index: number) => boolean): ProducerBatch[] {
  const [decoded] = [...readBatches(batch.encode(), { checkCrc: false })]
  const parts: ProducerBatch[] = [new ProducerBatch(batch.compression, batch.createdAt)]
  for (const [i, { key, value, headers }] of decoded!.records().entries()) {
    if (before(i)) parts.push(new ProducerBatch(batch.compression, batch.createdAt))
    const { listener, token, timestamp } = batch.senderOf(i)
    parts.at(-1)!.append(key, value, timestamp, headers, 0, listener, token)
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
