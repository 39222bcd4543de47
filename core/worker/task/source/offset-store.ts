import type { SourceOffset, SourcePartition } from '../../../connect/record.ts'

/** Source offsets of one connector, wherever they are kept. */
export interface OffsetStore {
  /** The committed offsets, in the order asked; null where there is none. */
  get(partitions: readonly SourcePartition[]): Promise<(SourceOffset | null)[]>
  /** Resolves when the entries are safe. A null offset forgets the partition. All or, on rejection, possibly some. */
  put(entries: readonly (readonly [SourcePartition, SourceOffset | null])[]): Promise<void>
  close(): Promise<void>
}
