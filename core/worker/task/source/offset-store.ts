import type { SourceOffset, SourcePartition } from '../../../connect/record.ts'

/** The source offsets of one connector. */
export interface OffsetStore {
  /**
   * Returns the committed offsets, in the order of the partitions; null for a partition without
   * one.
   */
  get(partitions: readonly SourcePartition[]): Promise<(SourceOffset | null)[]>
  /**
   * Resolves when the entries are stored. A null offset deletes the partition. If it rejects, some
   * entries may be stored.
   */
  put(entries: readonly (readonly [SourcePartition, SourceOffset | null])[]): Promise<void>
  close(): Promise<void>
}
