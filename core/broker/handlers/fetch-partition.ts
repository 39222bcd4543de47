import type { AbortedTransaction } from '../log/types.ts'

/** What a fetch asks of one partition. */
export interface FetchTarget {
  /** Empty where the request goes by ids. */
  readonly topic: string
  readonly topicId: string
  readonly partition: number
  readonly fetchOffset: number
  readonly maxBytes: number
  readonly currentLeaderEpoch: number
  readonly lastFetchedEpoch: number
}

/** What was read of one partition. */
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
  /** As of `ReadResult`. */
  readonly release: (() => void) | null
}
