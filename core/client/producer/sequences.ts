import type { ProducerBatch } from './batch.ts'
import { isUpTo, nextSequence, type ProducerIdentity, previousSequence } from './sequence-numbers.ts'

/**
 * The number of recent batches that a broker remembers for each producer and partition, to detect
 * duplicates.
 */
const REMEMBERED_BATCHES = 5

/**
 * The sequence numbers of one partition. With these numbers, the broker writes every record exactly
 * once and in order, despite retries. The rules are those of Java's TransactionManager:
 * - A batch gets its sequence when it is first sent.
 * - Retried batches are sent one at a time, starting with the oldest.
 * - If a batch is rejected and was not written, later batches take over its sequences.
 * - If a batch has failed but may have been written, the partition needs a new epoch.
 */
export class Sequences {
  /** The batches that were sent at least once and have no outcome yet, in sequence order. */
  readonly #pending: ProducerBatch[] = []
  #identity: ProducerIdentity = { producerId: -1, epoch: -1 }
  #next = 0
  /** The last acknowledged sequence of this epoch, or -1. */
  #lastAcked = -1
  /**
   * The sequence after an abandoned batch. It is not known whether the broker has written that
   * batch.
   */
  #unresolvedAt: number | null = null
  #needsReset = false

  get pending(): readonly ProducerBatch[] {
    return this.#pending
  }

  /** The sequence for the next new batch. */
  get next(): number {
    return this.#next
  }

  /**
   * Whether the partition needs a new epoch, because the broker has lost the producer's state or
   * expects another sequence.
   */
  get needsReset(): boolean {
    return this.#needsReset
  }

  /**
   * Returns whether a batch may be sent now. The batch must be the next one in the partition's
   * queue.
   */
  maySend(batch: ProducerBatch, identity: ProducerIdentity): boolean {
    if (this.#needsReset) return false
    if (batch.hasSequence) return this.#pending[0] === batch && !this.#isOnWire
    if (this.#unresolvedAt !== null) return false
    if (this.#pending.length === 0) return true
    // A broker accepts any sequence for the first batch of a new producer. If the broker rejected
    // the first batch and accepted the second, the order would be lost. The second batch therefore
    // waits until the first batch is acknowledged.
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

  /** Handles the acknowledgement of a batch. */
  acknowledged(batch: ProducerBatch): void {
    this.#remove(batch)
    if (!batch.isFrom(this.#identity)) return
    // The broker wrote the batch with the old sequence, so the sequence that the broker expects
    // next differs from ours.
    if (batch.isRenumbered) this.#needsReset = true
    this.#lastAcked = nextSequence(batch.sequence, batch.count - 1)
    // If an earlier batch was unresolved, the broker has written that batch. Otherwise the broker
    // would have rejected the batch that it has now acknowledged.
    if (this.#unresolvedAt !== null && isUpTo(this.#unresolvedAt, nextSequence(this.#lastAcked, 1))) {
      this.#unresolvedAt = null
    }
  }

  /**
   * Returns whether the broker should expect this batch next. If the broker still rejects the batch
   * as out of order, earlier records are missing, or the broker has lost the producer's state.
   */
  isNext(batch: ProducerBatch): boolean {
    return batch.sequence === (this.#unresolvedAt ?? nextSequence(this.#lastAcked, 1))
  }

  /**
   * Returns whether later batches of this epoch are acknowledged. The broker then never accepts
   * this batch.
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

  /** Removes a batch that failed but may have been written. */
  abandoned(batch: ProducerBatch): void {
    if (this.#remove(batch) < 0) return
    this.#unresolvedAt = nextSequence(batch.sequence, batch.count)
  }

  /** Replaces a batch with its parts, which share its sequences. */
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

  /** Requests a new epoch, because the broker has lost this partition's state. */
  requestReset(): void {
    this.#needsReset = true
  }

  /** Whether the partition needs a new epoch, and no request in flight prevents the change. */
  get canReset(): boolean {
    if (this.#isOnWire) return false
    return this.#needsReset || (this.#unresolvedAt !== null && this.#pending.length === 0)
  }

  /** Returns whether the partition's sequences belong to this identity. */
  isUsing({ producerId, epoch }: ProducerIdentity): boolean {
    return this.#identity.producerId === producerId && this.#identity.epoch === epoch
  }

  /** Continues at sequence 0 with a new identity. Pending batches get new sequences. */
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
