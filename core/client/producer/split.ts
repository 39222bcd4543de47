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

/** Divides the records of a batch, which the broker has not written, into new batches. */
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
