import { NO_SEQUENCE, type ProducerBatch } from './batch.ts'

/** Sequences count up to 2^31 - 1 and start over at 0 (KIP-98). */
export function nextSequence(sequence: number, count: number): number {
  return (sequence + count) % 2 ** 31
}

/** How far `to` is behind `from`, around the end of the numbers. */
function distance(from: number, to: number): number {
  return (to - from + 2 ** 31) % 2 ** 31
}

/** The producer's identity, given by InitProducerId. */
export interface ProducerIdentity {
  readonly producerId: number
  readonly epoch: number
}

/** Brokers remember this many batches of a producer and partition, and recognise them when they come again. */
const REMEMBERED_BATCHES = 5

/**
 * The sequence numbers of one partition: what keeps each record exactly once and in order over retries. Pure bookkeeping after Java's
 * TransactionManager: sequences are given when a batch is first sent; retried batches go one at a time, the oldest first; a batch that
 * was refused for good closes its gap; one with an unknown fate forces a new epoch.
 */
export class Sequences {
  /** Sent at least once and not done, in sequence order. */
  readonly pending: ProducerBatch[] = []
  producerId = -1
  epoch = -1
  next = 0
  /** The last sequence that was acknowledged in this epoch, or -1. */
  lastAcked = -1
  /** A batch was given up without knowing whether it was written: this is the sequence after it. */
  unresolvedAt: number | null = null
  /** The broker has lost track of us: start again at 0 in a new epoch as soon as nothing is on the wire. */
  mustReset = false

  /** Whether this batch, the first in the partition's queue, may be sent now. */
  maySend(batch: ProducerBatch, identity: ProducerIdentity): boolean {
    if (this.mustReset) return false
    if (batch.sequence !== NO_SEQUENCE) return this.pending[0] === batch && !this.pending.some(b => b.onWire)
    if (this.unresolvedAt !== null) return false
    if (this.pending.length === 0) return true
    // A broker takes the first batch of a new producer whatever its sequence. Were the first refused and the second taken, their order
    // would be lost: so the second waits for the first one's answer.
    if (this.lastAcked < 0) return false
    return !this.#isStale(identity) && this.pending.length < REMEMBERED_BATCHES
  }

  /** Gives a batch its sequence when it is sent for the first time. */
  assign(batch: ProducerBatch, identity: ProducerIdentity): void {
    if (batch.sequence !== NO_SEQUENCE) return
    if (this.#isStale(identity)) this.#start(identity)
    batch.producerId = this.producerId
    batch.producerEpoch = this.epoch
    batch.sequence = this.next
    this.next = nextSequence(this.next, batch.count)
    this.pending.push(batch)
  }

  acked(batch: ProducerBatch): void {
    this.#remove(batch)
    if (batch.producerId !== this.producerId || batch.producerEpoch !== this.epoch) return
    // Taken under a number that it has lost since: ours and the broker's counts have parted.
    if (batch.renumbered) this.mustReset = true
    this.lastAcked = nextSequence(batch.sequence, batch.count - 1)
    // Whatever was unresolved before it must have been written, or this one would have been refused.
    if (this.unresolvedAt !== null && distance(this.unresolvedAt, nextSequence(this.lastAcked, 1)) < 2 ** 30) {
      this.unresolvedAt = null
    }
  }

  /** The broker should have taken this batch: a complaint about its sequence means that there is a gap, or that it lost our state. */
  isNext(batch: ProducerBatch): boolean {
    return batch.sequence === (this.unresolvedAt ?? nextSequence(this.lastAcked, 1))
  }

  /** Later batches of this epoch have been acknowledged: the broker will never take this one in its place. */
  isOvertaken(batch: ProducerBatch): boolean {
    return this.lastAcked >= 0 && distance(batch.sequence, this.lastAcked) < 2 ** 30
  }

  /** Refused for good and certainly not written: the batches behind it move up. */
  refused(batch: ProducerBatch): void {
    const at = this.#remove(batch)
    if (at < 0 || batch.producerId !== this.producerId || batch.producerEpoch !== this.epoch) return
    for (let i = at; i < this.pending.length; i++) {
      const b = this.pending[i]!
      b.sequence = distance(batch.count, b.sequence)
    }
    this.next = distance(batch.count, this.next)
  }

  /** Given up while it may have been written. */
  abandoned(batch: ProducerBatch): void {
    if (this.#remove(batch) < 0) return
    this.unresolvedAt = nextSequence(batch.sequence, batch.count)
  }

  /** Replaces a batch that was too large by its parts, which share its sequences. */
  split(batch: ProducerBatch, parts: readonly ProducerBatch[]): void {
    const at = this.pending.indexOf(batch)
    if (at < 0) return
    let sequence = batch.sequence
    for (const part of parts) {
      part.producerId = batch.producerId
      part.producerEpoch = batch.producerEpoch
      part.sequence = sequence
      sequence = nextSequence(sequence, part.count)
    }
    this.pending.splice(at, 1, ...parts)
  }

  /** Whether a new epoch is needed before this partition can go on, and nothing on the wire stands against it. */
  get awaitsReset(): boolean {
    if (this.pending.some(b => b.onWire)) return false
    return this.mustReset || (this.unresolvedAt !== null && this.pending.length === 0)
  }

  /** Whether `identity` is newer than what this partition uses: then no further new epoch need be asked for. */
  isBehind(identity: ProducerIdentity): boolean {
    return this.#isStale(identity)
  }

  /** Starts at sequence 0 under a new identity; what is pending is numbered anew. */
  reset(identity: ProducerIdentity): void {
    this.#start(identity)
    this.mustReset = false
    this.unresolvedAt = null
    for (const b of this.pending) {
      b.producerId = identity.producerId
      b.producerEpoch = identity.epoch
      b.sequence = this.next
      this.next = nextSequence(this.next, b.count)
    }
  }

  #isStale(identity: ProducerIdentity): boolean {
    return this.producerId !== identity.producerId || this.epoch !== identity.epoch
  }

  #start(identity: ProducerIdentity): void {
    this.producerId = identity.producerId
    this.epoch = identity.epoch
    this.next = 0
    this.lastAcked = -1
  }

  #remove(batch: ProducerBatch): number {
    const at = this.pending.indexOf(batch)
    if (at >= 0) this.pending.splice(at, 1)
    return at
  }
}
