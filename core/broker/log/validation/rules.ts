import type { CompressionType } from '../../../protocol/compression/index.ts'
import { KafkaError } from '../../../protocol/error-codes.ts'
import type { TimestampType } from '../../../protocol/records/batch-header.ts'

/**
 * The rules for checking a producer's records. The object must be plain data, because it is sent to
 * a thread.
 */
export interface BatchRules {
  /** `<topic>-<partition>`, for error messages. */
  readonly partition: string
  readonly now: number
  /** Whether `cleanup.policy` contains `compact`. */
  readonly needsKeys: boolean
  /**
   * `message.timestamp.type=LogAppendTime`: the broker's time replaces the producer's timestamps.
   */
  readonly isAppendTime: boolean
  readonly beforeMaxMs: number
  readonly afterMaxMs: number
  /** The codec with which the log stores batches, or null to keep the producer's codec. */
  readonly codec: CompressionType | null
  /** `max.message.bytes`, which also applies after recompression. */
  readonly maxBytes: number
}

/**
 * The error of one invalid record (KIP-467). `index` is the position of the record in the batch.
 */
export interface RecordError {
  readonly index: number
  readonly message: string
}

/** The timestamp type and the maximum timestamp that the header of a batch gets. */
export interface Stamp {
  readonly type: TimestampType
  readonly timestamp: bigint
}

/** The result of checking a batch. The object must be plain data, because a thread sends it. */
export type Verdict =
  | { readonly kind: 'accepted'; readonly stamp: Stamp | null }
  | { readonly kind: 'rewritten'; readonly bytes: Buffer }
  | {
      readonly kind: 'rejected'
      readonly code: number
      readonly detail: string
      readonly recordErrors: readonly RecordError[]
    }

/** The error for a rejected batch, with a list of the invalid records. */
export class RecordsRejected extends KafkaError {
  readonly recordErrors: readonly RecordError[]

  constructor(code: number, detail: string, recordErrors: readonly RecordError[]) {
    super(code, detail)
    this.name = 'RecordsRejected'
    this.recordErrors = recordErrors
  }
}
