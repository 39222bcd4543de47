/** The sequence of a batch that was never sent, or whose producer is not idempotent. */
export const NO_SEQUENCE = -1

/**
 * The number of different sequences. Sequences count up to 2^31 - 1, then start again at 0
 * (KIP-98).
 */
const SEQUENCES = 2 ** 31

/** The id and epoch of a producer, which InitProducerId assigns. */
export interface ProducerIdentity {
  readonly producerId: number
  readonly epoch: number
}

/** Returns the sequence that is `count` records after `sequence`. */
export function nextSequence(sequence: number, count: number): number {
  return (sequence + count) % SEQUENCES
}

/** Returns the sequence that is `count` records before `sequence`. */
export function previousSequence(sequence: number, count: number): number {
  return (sequence - count + SEQUENCES) % SEQUENCES
}

/** Returns whether `sequence` is before or equal to `other`. Takes the wrap-around into account. */
export function isUpTo(sequence: number, other: number): boolean {
  return (other - sequence + SEQUENCES) % SEQUENCES < SEQUENCES / 2
}
