import { type EpochStart, readEpochCheckpoint, writeEpochCheckpoint } from './recovery/checkpoint-file.ts'

/**
 * The start offset of each leader epoch, stored in `leader-epoch-checkpoint`. Followers and clients
 * use the offsets to find where two logs diverge.
 */
export class LeaderEpochs {
  file: string
  #entries: EpochStart[]
  #dirty = false

  constructor(file: string, entries: EpochStart[]) {
    this.file = file
    this.#entries = entries
  }

  /** Reads the epochs from a file. Throws MR_LOG_CHECKPOINT_MALFORMED if the file is malformed. */
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
   * Records that an epoch starts at an offset. Removes entries whose epoch or start offset is not
   * lower than the new one. Returns whether anything changed.
   */
  assign(epoch: number, startOffset: number): boolean {
    if (epoch < 0 || epoch === this.latest) return false
    this.#entries = this.#entries.filter(e => e.epoch < epoch && e.startOffset < startOffset)
    this.#entries.push({ epoch, startOffset })
    this.#dirty = true
    return true
  }

  /**
   * Removes epochs without records. Call this after the records at and above an offset were
   * removed.
   */
  truncateFromEnd(offset: number): void {
    const kept = this.#entries.filter(e => e.startOffset < offset)
    if (kept.length === this.#entries.length) return
    this.#entries = kept
    this.#dirty = true
  }

  /**
   * Removes epochs without records. Call this after the records below an offset were removed. The
   * epoch that contains this offset then starts at this offset.
   */
  truncateFromStart(offset: number): void {
    const n = this.#entries.findLastIndex(e => e.startOffset <= offset)
    const at = this.#entries[n]
    if (at === undefined || (n === 0 && at.startOffset === offset)) return
    this.#entries = [{ epoch: at.epoch, startOffset: offset }, ...this.#entries.slice(n + 1)]
    this.#dirty = true
  }

  /**
   * Returns the largest known epoch that is at most `epoch`, and its end offset. The latest epoch
   * ends at `logEndOffset`. If all known epochs are larger, returns `epoch` and the start offset of
   * the first known epoch. Returns -1 for both if `epoch` is -1 or is larger than the latest epoch.
   */
  endOffsetFor(epoch: number, logEndOffset: number): { epoch: number; endOffset: number } {
    if (epoch === -1) return { epoch: -1, endOffset: -1 }
    if (epoch === this.latest) return { epoch, endOffset: logEndOffset }
    const higher = this.#entries.find(e => e.epoch > epoch)
    if (higher === undefined) return { epoch: -1, endOffset: -1 }
    const floor = this.#entries.findLast(e => e.epoch <= epoch)
    return { epoch: floor?.epoch ?? epoch, endOffset: higher.startOffset }
  }

  /** Writes the epochs to the file if they changed. */
  save(): void {
    if (!this.#dirty) return
    writeEpochCheckpoint(this.file, this.#entries)
    this.#dirty = false
  }
}
