import { ErrorCode } from '../../protocol/error-codes.ts'
import {
  baseSequence,
  batchSize,
  lastOffsetDelta,
  producerEpoch,
  producerId,
  recordCount,
  setBaseOffset,
  validateBatch,
} from '../../protocol/records/batch-header.ts'

interface ProducerState {
  epoch: number
  /** The last five batches, in which duplicates are detected. */
  batches: { sequence: number; last: number; offset: number }[]
}

/**
 * The log of one partition, for client tests. For idempotent producers it follows the rules of
 * Kafka's ProducerAppendInfo.
 */
export class SimLog {
  readonly batches: Buffer[] = []
  end = 0
  readonly #producers = new Map<number, ProducerState>()

  /** Appends a batch. Returns an error code, or the offset of the batch's first record. */
  append(batch: Buffer, maxBytes: number): { errorCode: number; baseOffset: number } {
    const refused = (errorCode: number) => ({ errorCode, baseOffset: -1 })
    validateBatch(batch, 0, batch.length)
    if (batchSize(batch, 0) > maxBytes) return refused(ErrorCode.MESSAGE_TOO_LARGE)
    const id = producerId(batch, 0)
    if (id >= 0) {
      const epoch = producerEpoch(batch, 0)
      const sequence = baseSequence(batch, 0)
      const last = (sequence + recordCount(batch, 0) - 1) % 2 ** 31
      let state = this.#producers.get(id)
      if (state && epoch < state.epoch) return refused(ErrorCode.INVALID_PRODUCER_EPOCH)
      const again = state?.epoch === epoch && state.batches.find(b => b.sequence === sequence && b.last === last)
      if (again) return { errorCode: 0, baseOffset: again.offset }
      if (state) {
        const expected = state.epoch === epoch ? (state.batches.at(-1)!.last + 1) % 2 ** 31 : 0
        if (sequence !== expected) return refused(ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER)
      }
      if (!state || state.epoch !== epoch) this.#producers.set(id, (state = { epoch, batches: [] }))
      state.batches.push({ sequence, last, offset: this.end })
      if (state.batches.length > 5) state.batches.shift()
    }
    const copy = Buffer.from(batch)
    setBaseOffset(copy, 0, this.end)
    const baseOffset = this.end
    this.end += lastOffsetDelta(batch, 0) + 1
    this.batches.push(copy)
    return { errorCode: 0, baseOffset }
  }

  /** Removes the state of all producers, as after a restore from an old snapshot. */
  forgetProducers(): void {
    this.#producers.clear()
  }
}
