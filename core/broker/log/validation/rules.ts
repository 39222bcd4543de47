import type { CompressionType } from '../../../protocol/compression/index.ts'
import { KafkaError } from '../../../protocol/error-codes.ts'
import type { TimestampType } from '../../../protocol/records/batch-header.ts'

/** The rules for a producer's records. Plain data, since it is sent to a thread. */
export interface BatchRules {
  /** `<topic>-<partition>`, for messages. */
  readonly partition: string
  readonly now: number
  /** `cleanup.policy` has `compact`. */
  readonly needsKeys: boolean
  /** `message.timestamp.type=LogAppendTime`: the broker's time replaces the producer's. */
  readonly isAppendTime: boolean
  readonly beforeMaxMs: number
  readonly afterMaxMs: number
  /** The codec of the log; null to keep the producer's. */
  readonly codec: CompressionType | null
  /** `max.message.bytes`, also of a batch that is compressed again. */
  readonly maxBytes: number
}

/** A record at fault (KIP-467), by its place in its batch. */
export interface RecordError {
  readonly index: number
  readonly message: string
}

/** The latest timestamp for a batch's header, and its type. */
export interface Stamp {
  readonly type: TimestampType
  readonly timestamp: bigint
}

/** The result of a check. Plain data too. */
export type Verdict =
  | { readonly kind: 'accepted'; readonly stamp: Stamp | null }
  | { readonly kind: 'rewritten'; readonly bytes: Buffer }
  | {
      readonly kind: 'rejected'
      readonly code: number
      readonly detail: string
      readonly recordErrors: readonly RecordError[]
    }

/** A batch that was rejected because of some of its records. */
export class RecordsRejected extends KafkaError {
  readonly recordErrors: readonly RecordError[]

  constructor(code: number, detail: string, recordErrors: readonly RecordError[]) {
    super(code, detail)
    this.name = 'RecordsRejected'
    this.recordErrors = recordErrors
  }
}
