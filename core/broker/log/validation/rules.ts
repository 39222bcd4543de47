import type { CompressionType } from '../../../protocol/compression/index.ts'
import { KafkaError } from '../../../protocol/error-codes.ts'
import type { TimestampType } from '../../../protocol/records/batch-header.ts'

/** The rules for a producer's records. It is plain data, because it is sent to a thread. */
export interface BatchRules {
  /** `<topic>-<partition>`, for messages. */
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
  /** The codec of the log, or null to keep the producer's. */
  readonly codec: CompressionType | null
  /** `max.message.bytes`, which also applies after recompression. */
  readonly maxBytes: number
}

/** An invalid record (KIP-467), identified by its index in the batch. */
export interface RecordError {
  readonly index: number
  readonly message: string
}

/** The maximum timestamp for a batch's header, and the timestamp type. */
export interface Stamp {
  readonly type: TimestampType
  readonly timestamp: bigint
}

/** The result of a check. It is plain data too. */
export type Verdict =
  | { readonly kind: 'accepted'; readonly stamp: Stamp | null }
  | { readonly kind: 'rewritten'; readonly bytes: Buffer }
  | {
      readonly kind: 'rejected'
      readonly code: number
      readonly detail: string
      readonly recordErrors: readonly RecordError[]
    }

/** The error for a batch that was rejected because of some of its records. */
export class RecordsRejected extends KafkaError {
  readonly recordErrors: readonly RecordError[]

  constructor(code: number, detail: string, recordErrors: readonly RecordError[]) {
    super(code, detail)
    this.name = 'RecordsRejected'
    this.recordErrors = recordErrors
  }
}
