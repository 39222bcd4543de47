import type { SourceOffset, SourcePartition } from '../../../connect/record.ts'

/** Stores the source offsets of one connector. */
export interface OffsetStore {
  /**
   * Returns the committed offsets in the order of the partitions. The result for a partition
   * without a committed offset is null.
   */
  get(partitions: readonly SourcePartition[]): Promise<(SourceOffset | null)[]>
  /**
   * Stores offsets. A null offset deletes the offset of its partition. Resolves when all entries
   * have been stored. After a rejection, some entries may have been stored.
   */
  put(entries: readonly (readonly [SourcePartition, SourceOffset | null])[]): Promise<void>
  close(): Promise<void>
}
