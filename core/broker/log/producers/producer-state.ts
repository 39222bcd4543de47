import type { ProducerId } from '../io/int64.ts'
import type { BatchMeta } from '../segment/batch-meta.ts'

/**
 * The number of batches that are kept per producer to detect retries. An idempotent producer has at
 * most this many requests in flight.
 */
export const RETAINED_BATCHES = 5

/** The largest sequence number. The next sequence number is 0. */
const MAX_SEQUENCE = 0x7fffffff
/** This epoch means that no epoch is known. As in Kafka, sequence numbers are then not checked. */
const NO_EPOCH = -1

export interface ProducedBatch {
  readonly firstSequence: number
  readonly lastSequence: number
  readonly firstOffset: number
  readonly lastOffset: number
  readonly timestamp: number
}

/**
 * The state of one producer. The state is immutable, so a failed append only needs to discard the
 * new state.
 */
export interface ProducerEntry {
  readonly producerId: ProducerId
  readonly epoch: number
  /** The latest batches, at most `RETAINED_BATCHES`. The oldest batch is first. */
  readonly batches: readonly ProducedBatch[]
  readonly coordinatorEpoch: number
  readonly lastTimestamp: number
  /** The first offset of the open transaction. -1 if no transaction is open. */
  readonly txnFirstOffset: number
}

/** A transaction that a marker committed or aborted. */
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

/**
 * Returns the retained batch that has the same sequence numbers as `batch`, which is then a retry.
 * Returns undefined if there is no such batch.
 */
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
 * Returns why a producer's batch may not be appended, or null if it may be appended. The epoch must
 * not be older than the producer's last epoch. If `checkSequence` is true, the sequence numbers
 * must follow the producer's last sequence number.
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
  // If no batch of the producer is known, for example because its records were deleted, any
  // sequence number is accepted.
  if (last < 0 || baseSequence === nextSequence(last)) return null
  const detail = `producer ${producerId} sent sequence ${baseSequence}, expected ${nextSequence(last)}`
  return { kind: 'out-of-order', detail }
}

/**
 * Returns the state of the producer after a batch. If the batch is a marker, also returns the
 * transaction that the marker ends.
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
    // A marker may end a transaction that has no records in this partition. In that case there is
    // no transaction to complete.
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

/** Returns the last sequence number of a producer, or -1 if the state contains no batch. */
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
