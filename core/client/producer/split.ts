import { readBatches } from '../../protocol/records/batch-reader.ts'
import { ProducerBatch } from './batch.ts'

/**
 * Returns two batches, each with half of the records of a batch that is too large for the broker.
 */
export function splitBatch(batch: ProducerBatch): ProducerBatch[] {
  const half = Math.ceil(batch.count / 2)
  return cut(batch, i => i === half)
}

/**
 * Returns batches that contain the records of a batch in order. In each new batch, either all
 * records or no records are to fail.
 */
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
 * Returns new batches with the records of a batch that was not written. A new batch starts at each
 * index for which `before` returns true.
 */
function cut(batch: ProducerBatch, before: (index: number) => boolean): ProducerBatch[] {
  const { topic, partition, compression, createdAt } = batch
  const next = () => new ProducerBatch({ topic, partition, compression, createdAt })
  const [decoded] = [...readBatches(batch.encode(), { checkCrc: false })]
  const parts = [next()]
  for (const [i, record] of decoded!.records().entries()) {
    if (before(i)) parts.push(next())
    const { listener, token, timestamp } = batch.senderOf(i)
    parts.at(-1)!.append(record, timestamp, 0, listener, token)
  }
  batch.replaceWith(parts)
  return parts
}
