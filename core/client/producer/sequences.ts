import type { ProducerBatch } from './batch.ts'
import { isUpTo, nextSequence, type ProducerIdentity, previousSequence } from './sequence-numbers.ts'

/**
 * Brokers remember this many batches of a producer and partition, and recognise repetitions of
 * them.
 */
const REMEMBERED_BATCHES = 5

/**
 * The sequence numbers of one partition. They keep every record exactly once and in order over
 * retries. The rules are those of Java's TransactionManager:
 * - A batch gets its sequence when it is first sent.
 * - Retried batches are sent one at a time, the oldest first.
 * - If a batch is rejected and was not written, later batches take over its sequences.
 * - If a batch is given up and may have been written, the partition needs a new epoch.
 */
export class Sequences {
  /** Batches that were sent at least once and are not done, in sequence order. */
  readonly #pending: ProducerBatch[] = []
  #identity: ProducerIdentity = { producerId: -1, epoch: -1 }
  #next = 0
  /** The last acknowledged sequence of this epoch, or -1. */
  #lastAcked = -1
  /** The sequence after a batch that was given up and may have been written. */
  #unresolvedAt: number | null = null
  #needsReset = false

  get pending(): readonly ProducerBatch[] {
    return this.#pending
  }

  /** The sequence of the next batch. */
  get next(): number {
    return this.#next
  }

  /** Whether the broker has lost this partition's state, so that it needs a new epoch. */
  get needsReset(): boolean {
    return this.#needsReset
  }

  /** Whether this batch, the first in the partition's queue, may be sent now. */
  maySend(batch: ProducerBatch, identity: ProducerIdentity): boolean {
    if (this.#needsReset) return false
    if (batch.hasSequence) return this.#pending[0] === batch && !this.#isOnWire
    if (this.#unresolvedAt !== null) return false
    if (this.#pending.length === 0) return true
    // A broker accepts any sequence for the first batch of a new producer. If it rejected the first
    // batch and accepted the second, the order would be lost. So the second waits for the first.
    if (this.#lastAcked < 0) return false
    return this.isUsing(identity) && this.#pending.length < REMEMBERED_BATCHES
  }

  /** Assigns a sequence to a batch that is sent for the first time. */
  assign(batch: ProducerBatch, identity: ProducerIdentity): void {
    if (batch.hasSequence) return
    if (!this.isUsing(identity)) this.#start(identity)
    this.#number(batch)
    this.#pending.push(batch)
  }

  /** Records an acknowledgement. */
  acknowledged(batch: ProducerBatch): void {
    this.#remove(batch)
    if (!batch.isFrom(this.#identity)) return
    // The broker wrote it under a sequence that has changed since: its count differs from ours.
    if (batch.isRenumbered) this.#needsReset = true
    this.#lastAcked = nextSequence(batch.sequence, batch.count - 1)
    // If a batch before this one was unresolved, it was written: otherwise the broker would have
    // rejected this one.
    if (this.#unresolvedAt !== null && isUpTo(this.#unresolvedAt, nextSequence(this.#lastAcked, 1))) {
      this.#unresolvedAt = null
    }
  }

  /**
   * Whether this is the batch that the broker expects next. If the broker then complains about the
   * sequence, records are missing before it, or the broker has lost our state.
   */
  isNext(batch: ProducerBatch): boolean {
    return batch.sequence === (this.#unresolvedAt ?? nextSequence(this.#lastAcked, 1))
  }

  /**
   * Whether later batches of this epoch are acknowledged: the broker will never accept this batch.
   */
  isOvertaken(batch: ProducerBatch): boolean {
    return this.#lastAcked >= 0 && isUpTo(batch.sequence, this.#lastAcked)
  }

  /** Removes a batch that was rejected and not written. Later batches take over its sequences. */
  rejected(batch: ProducerBatch): void {
    const at = this.#remove(batch)
    if (at < 0 || !batch.isFrom(this.#identity)) return
    for (const later of this.#pending.slice(at)) {
      later.number(later.identity, previousSequence(later.sequence, batch.count))
    }
    this.#next = previousSequence(this.#next, batch.count)
  }

  /** Removes a batch that was given up and may have been written. */
  abandoned(batch: ProducerBatch): void {
    if (this.#remove(batch) < 0) return
    this.#unresolvedAt = nextSequence(batch.sequence, batch.count)
  }

  /** Replaces a batch with parts of it. The parts share its sequences. */
  replace(batch: ProducerBatch, parts: readonly ProducerBatch[]): void {
    const at = this.#pending.indexOf(batch)
    if (at < 0) return
    let { sequence } = batch
    for (const part of parts) {
      part.number(batch.identity, sequence)
      sequence = nextSequence(sequence, part.count)
    }
    this.#pending.splice(at, 1, ...parts)
  }

  /** Requests a new epoch: the broker has lost this partition's state. */
  requestReset(): void {
    this.#needsReset = true
  }

  /** Whether the partition needs a new epoch to continue, and no request in flight prevents it. */
  get canReset(): boolean {
    if (this.#isOnWire) return false
    return this.#needsReset || (this.#unresolvedAt !== null && this.#pending.length === 0)
  }

  /** Whether the partition's sequences belong to this identity. */
  isUsing({ producerId, epoch }: ProducerIdentity): boolean {
    return this.#identity.producerId === producerId && this.#identity.epoch === epoch
  }

  /** Starts at sequence 0 with a new identity. Pending batches get new sequences. */
  reset(identity: ProducerIdentity): void {
    this.#start(identity)
    this.#needsReset = false
    this.#unresolvedAt = null
    for (const batch of this.#pending) this.#number(batch)
  }

  get #isOnWire(): boolean {
    return this.#pending.some(b => b.isOnWire)
  }

  #start(identity: ProducerIdentity): void {
    this.#identity = identity
    this.#next = 0
    this.#lastAcked = -1
  }

  #number(batch: ProducerBatch): void {
    batch.number(this.#identity, this.#next)
    this.#next = nextSequence(this.#next, batch.count)
  }

  #remove(batch: ProducerBatch): number {
    const at = this.#pending.indexOf(batch)
    if (at >= 0) this.#pending.splice(at, 1)
    return at
  }
}
