import type { SourceOffset, SourcePartition } from './record.ts'

/** Reads the committed source offsets of this connector. */
export interface OffsetReader {
  /** The offset of a partition, or null where none was committed. */
  offset(partition: SourcePartition): Promise<SourceOffset | null>
  /** The offsets of several partitions, in the order asked. */
  offsets(partitions: readonly SourcePartition[]): Promise<(SourceOffset | null)[]>
}
