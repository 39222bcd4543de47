import type { ProducerId } from '../io/int64.ts'
import type { BatchMeta } from '../segment/batch-meta.ts'

/**
 * The number of batches kept per producer to detect retries. It equals the maximum number of
 * batches in flight.
 */
export const RETAINED_BATCHES = 5

/** The largest sequence number. It is followed by 0. */
const MAX_SEQUENCE = 0x7fffffff
/** With this epoch, sequence numbers are not checked, as in Kafka. */
const NO_EPOCH = -1

export interface ProducedBatch {
  readonly firstSequence: number
  readonly lastSequence: number
  readonly firstOffset: number
  readonly lastOffset: number
  readonly timestamp: number
}

/**
 * The state of one producer. It is immutable, so an append is undone by discarding the new state.
 */
export interface ProducerEntry {
  readonly producerId: ProducerId
  readonly epoch: number
  /** The oldest first, at most `RETAINED_BATCHES`. */
  readonly batches: readonly ProducedBatch[]
  readonly coordinatorEpoch: number
  readonly lastTimestamp: number
  /** The first offset of the open transaction. -1 without an open transaction. */
  readonly txnFirstOffset: number
}

/** A transaction that ended with a marker. */
export interface CompletedTxn {
  readonly producerId: ProducerId
  readonly firstOffset: number
  readonly markerOffset: number
  readonly aborted: boolean
}

export type SequenceProblem =
  | { readonly kind: 'fenced'; readonly detail: string }
  | { readonly kind: 'out-of-order'; readonly detail: string }
  | { readonly kind: 'coordinator-fenced'; readonly detail: string }

/** Returns the batch that this one repeats, if it is among those kept. */
export function findDuplicate(entry: ProducerEntry | undefined, batch: BatchMeta): ProducedBatch | undefined {
  if (entry === undefined || batch.isControl || entry.epoch !== batch.producerEpoch) return undefined
  const last = lastSequenceOf(batch)
  for (let i = entry.batches.length - 1; i >= 0; i--) {
    const b = entry.batches[i]!
    if (b.firstSequence === batch.baseSequence && b.lastSequence === last) return b
  }
  return undefined
}

/**
 * Whether a producer's batch may be appended: its epoch must not be old, and its sequence number
 * must follow the last one if this is checked.
 */
export function checkBatch(
  entry: ProducerEntry | undefined,
  batch: BatchMeta,
  checkSequence: boolean,
): SequenceProblem | null {
  const { producerId, producerEpoch, baseSequence } = batch
  const known = entry?.epoch ?? NO_EPOCH
  if (producerEpoch < known) {
    return { kind: 'fenced', detail: `producer ${producerId} has epoch ${producerEpoch}, but the log has ${known}` }
  }
  if (entry === undefined) return null
  if (batch.isControl) {
    if (batch.marker !== null && batch.marker.coordinatorEpoch < entry.coordinatorEpoch) {
      const detail = `coordinator epoch ${batch.marker.coordinatorEpoch} is older than ${entry.coordinatorEpoch}`
      return { kind: 'coordinator-fenced', detail }
    }
    return null
  }
  if (!checkSequence || baseSequence < 0 || known === NO_EPOCH) return null
  if (producerEpoch !== entry.epoch) {
    if (baseSequence === 0) return null
    const detail = `producer ${producerId} begins epoch ${producerEpoch} with sequence ${baseSequence}, not 0`
    return { kind: 'out-of-order', detail }
  }
  const last = lastSequence(entry)
  // All of its records may have been deleted. Then any sequence number is accepted.
  if (last < 0 || baseSequence === nextSequence(last)) return null
  const detail = `producer ${producerId} sent sequence ${baseSequence}, expected ${nextSequence(last)}`
  return { kind: 'out-of-order', detail }
}

/**
 * Returns the producer's state after a batch, and the transaction that ended if the batch is a
 * marker.
 */
export function applyBatch(
  entry: ProducerEntry | undefined,
  batch: BatchMeta,
): { entry: ProducerEntry; completed: CompletedTxn | null } {
  const sameEpoch = entry !== undefined && entry.epoch === batch.producerEpoch
  const known = sameEpoch ? entry.batches : []
  const txnFirst = entry?.txnFirstOffset ?? -1
  const base = { producerId: batch.producerId, epoch: batch.producerEpoch }
  if (batch.isControl) {
    const coordinatorEpoch = batch.marker?.coordinatorEpoch ?? entry?.coordinatorEpoch ?? -1
    const next = { ...base, batches: known, coordinatorEpoch, lastTimestamp: batch.maxTimestamp, txnFirstOffset: -1 }
    // A transaction without records also gets a marker. Then there is nothing to complete.
    if (txnFirst < 0 || batch.marker === null) {
      return { entry: batch.marker === null ? { ...next, txnFirstOffset: txnFirst } : next, completed: null }
    }
    const { producerId } = batch
    const aborted = !batch.marker.commit
    return { entry: next, completed: { producerId, firstOffset: txnFirst, markerOffset: batch.lastOffset, aborted } }
  }
  const produced: ProducedBatch = {
    firstSequence: batch.baseSequence,
    lastSequence: lastSequenceOf(batch),
    firstOffset: batch.baseOffset,
    lastOffset: batch.lastOffset,
    timestamp: batch.maxTimestamp,
  }
  const kept = known.length < RETAINED_BATCHES ? known : known.slice(known.length - RETAINED_BATCHES + 1)
  return {
    entry: {
      ...base,
      batches: [...kept, produced],
      coordinatorEpoch: entry?.coordinatorEpoch ?? -1,
      lastTimestamp: batch.maxTimestamp,
      txnFirstOffset: batch.isTransactional ? (txnFirst < 0 ? batch.baseOffset : txnFirst) : txnFirst,
    },
    completed: null,
  }
}

/** The last sequence number that a producer wrote. -1 if no batch is kept. */
export function lastSequence(entry: ProducerEntry): number {
  return entry.batches.at(-1)?.lastSequence ?? -1
}

function lastSequenceOf(batch: BatchMeta): number {
  if (batch.baseSequence < 0) return -1
  const last = batch.baseSequence + (batch.lastOffset - batch.baseOffset)
  return last > MAX_SEQUENCE ? last - MAX_SEQUENCE - 1 : last
}

function nextSequence(last: number): number {
  return last === MAX_SEQUENCE ? 0 : last + 1
}
