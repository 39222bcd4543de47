import { type EpochStart, readEpochCheckpoint, writeEpochCheckpoint } from './recovery/checkpoint-file.ts'

/**
 * The start offset of each leader epoch (`leader-epoch-checkpoint`). Followers and clients use them
 * to find where logs diverge.
 */
export class LeaderEpochs {
  file: string
  #entries: EpochStart[]
  #dirty = false

  constructor(file: string, entries: EpochStart[]) {
    this.file = file
    this.#entries = entries
  }

  /** Reads the file. Throws MR_LOG_CHECKPOINT_MALFORMED. */
  static load(file: string): LeaderEpochs {
    return new LeaderEpochs(file, readEpochCheckpoint(file))
  }

  get entries(): readonly EpochStart[] {
    return this.#entries
  }

  get latest(): number {
    return this.#entries.at(-1)?.epoch ?? -1
  }

  /**
   * Records that an epoch starts at an offset. Removes older entries that contradict it. Returns
   * whether anything changed.
   */
  assign(epoch: number, startOffset: number): boolean {
    if (epoch < 0 || epoch === this.latest) return false
    this.#entries = this.#entries.filter(e => e.epoch < epoch && e.startOffset < startOffset)
    this.#entries.push({ epoch, startOffset })
    this.#dirty = true
    return true
  }

  /** Called after the records at or above an offset were removed. */
  truncateFromEnd(offset: number): void {
    const kept = this.#entries.filter(e => e.startOffset < offset)
    if (kept.length === this.#entries.length) return
    this.#entries = kept
    this.#dirty = true
  }

  /**
   * Called after the records below an offset were removed. The epoch at that offset then starts
   * there.
   */
  truncateFromStart(offset: number): void {
    const n = this.#entries.findLastIndex(e => e.startOffset <= offset)
    const at = this.#entries[n]
    if (at === undefined || (n === 0 && at.startOffset === offset)) return
    this.#entries = [{ epoch: at.epoch, startOffset: offset }, ...this.#entries.slice(n + 1)]
    this.#dirty = true
  }

  /**
   * Returns the largest epoch at or below the requested one, and the offset where it ends
   * (`logEndOffset` for the latest epoch).
   */
  endOffsetFor(epoch: number, logEndOffset: number): { epoch: number; endOffset: number } {
    if (epoch === -1) return { epoch: -1, endOffset: -1 }
    if (epoch === this.latest) return { epoch, endOffset: logEndOffset }
    const higher = this.#entries.find(e => e.epoch > epoch)
    if (higher === undefined) return { epoch: -1, endOffset: -1 }
    const floor = this.#entries.findLast(e => e.epoch <= epoch)
    return { epoch: floor?.epoch ?? epoch, endOffset: higher.startOffset }
  }

  /** Writes the file if anything changed. */
  save(): void {
    if (!this.#dirty) return
    writeEpochCheckpoint(this.file, this.#entries)
    this.#dirty = false
  }
}
