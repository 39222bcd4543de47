/** No sequence: the producer is not idempotent, or the batch was never sent. */
export const NO_SEQUENCE = -1

/** The number of sequences: they count up to 2^31 - 1 and start again at 0 (KIP-98). */
const SEQUENCES = 2 ** 31

/** The producer's identity, assigned by InitProducerId. */
export interface ProducerIdentity {
  readonly producerId: number
  readonly epoch: number
}

/** Returns the sequence that follows `count` records from `sequence`. */
export function nextSequence(sequence: number, count: number): number {
  return (sequence + count) % SEQUENCES
}

/** Returns the sequence that is `count` records before `sequence`. */
export function previousSequence(sequence: number, count: number): number {
  return (sequence - count + SEQUENCES) % SEQUENCES
}

/** Whether `sequence` is before or at `other`, if sequences wrap around. */
export function isUpTo(sequence: number, other: number): boolean {
  return (other - sequence + SEQUENCES) % SEQUENCES < SEQUENCES / 2
}
