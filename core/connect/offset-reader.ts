import type { SourceOffset, SourcePartition } from './record.ts'

/** Reads the committed source offsets of this connector. */
export interface OffsetReader {
  /** Returns the offset of a partition, or null if no offset is committed. */
  offset(partition: SourcePartition): Promise<SourceOffset | null>
  /** Returns the offsets of several partitions, in the order of the partitions. */
  offsets(partitions: readonly SourcePartition[]): Promise<(SourceOffset | null)[]>
}
