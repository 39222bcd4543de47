import type { AbortedTransaction } from '../log/types.ts'

/** A partition in a fetch request. */
export interface FetchTarget {
  /** The name of the topic. Empty if the request identifies topics by id. */
  readonly topic: string
  readonly topicId: string
  readonly partition: number
  readonly fetchOffset: number
  readonly maxBytes: number
  readonly currentLeaderEpoch: number
  readonly lastFetchedEpoch: number
}

/** The result of reading one partition. */
export interface FetchedPartition {
  readonly target: FetchTarget
  readonly errorCode: number
  readonly highWatermark: number
  readonly lastStableOffset: number
  readonly logStartOffset: number
  readonly divergingEpoch?: { readonly epoch: number; readonly endOffset: number }
  readonly aborted: readonly AbortedTransaction[] | null
  readonly chunks: readonly Buffer[]
  readonly size: number
  /** Releases the memory of `chunks`. See `ReadResult.release`. */
  readonly release: (() => void) | null
}
