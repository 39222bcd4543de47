import { ErrorCode, isRetriableCode } from '../../protocol/error-codes.ts'

/** The broker's response about one batch. */
export interface PartitionAnswer {
  readonly errorCode: number
  /** The start offset of the log; -1 if the broker does not know it. */
  readonly logStartOffset: number
}

/** The state of the batch and of its partition. */
export interface BatchSituation {
  readonly idempotent: boolean
  readonly records: number
  /** Whether the number of retries is exhausted. */
  readonly exhausted: boolean
  /** Whether later batches of the partition are already acknowledged. */
  readonly isOvertaken: boolean
  /** Whether the broker may have written the batch in an earlier attempt. */
  readonly mayBeWritten: boolean
  /** Whether the sequence of the batch has changed since it was sent. */
  readonly isRenumbered: boolean
  /** Whether the broker should expect this batch next. */
  readonly isNext: boolean
}

export type Verdict =
  | 'acked'
  | 'retry'
  /** Retry the batch after the partition has started a new epoch. */
  | 'reset'
  | 'split'
  /** The batch has failed and was certainly not written. */
  | 'rejected'
  /** The batch is rejected, and the producer needs a new identity. */
  | 'new-identity'
  /** The batch has failed but may have been written. */
  | 'abandoned'

/** Returns whether this error means that the metadata is probably outdated. */
export function needsMetadata(code: number): boolean {
  return (
    code === ErrorCode.UNKNOWN_TOPIC_OR_PARTITION ||
    code === ErrorCode.LEADER_NOT_AVAILABLE ||
    code === ErrorCode.NOT_LEADER_OR_FOLLOWER ||
    code === ErrorCode.REPLICA_NOT_AVAILABLE ||
    code === ErrorCode.KAFKA_STORAGE_ERROR ||
    code === ErrorCode.LISTENER_NOT_FOUND ||
    code === ErrorCode.FENCED_LEADER_EPOCH ||
    code === ErrorCode.UNKNOWN_TOPIC_ID ||
    code === ErrorCode.INCONSISTENT_TOPIC_ID
  )
}

/** Returns whether the broker may have written the batch despite this error. */
export function mayBeWrittenAfter(code: number): boolean {
  return (
    code === ErrorCode.REQUEST_TIMED_OUT ||
    code === ErrorCode.NOT_ENOUGH_REPLICAS_AFTER_APPEND ||
    code === ErrorCode.UNKNOWN_SERVER_ERROR
  )
}

/**
 * Decides what to do with a batch after the broker's response. The rules are those of Java's Sender
 * and TransactionManager.
 */
export function judge(answer: PartitionAnswer, s: BatchSituation): Verdict {
  const verdict = judgeAttempt(answer, s)
  if (verdict !== 'rejected' || !s.idempotent) return verdict
  // If this batch may have been written, no later batch may take over its sequence. The broker
  // would discard the later batch as a duplicate.
  return s.mayBeWritten || mayBeWrittenAfter(answer.errorCode) ? 'abandoned' : verdict
}

function judgeAttempt(answer: PartitionAnswer, s: BatchSituation): Verdict {
  const code = answer.errorCode
  switch (code) {
    case ErrorCode.NONE:
    // An earlier attempt was written, and its response was lost.
    case ErrorCode.DUPLICATE_SEQUENCE_NUMBER:
      return 'acked'
    case ErrorCode.MESSAGE_TOO_LARGE:
    case ErrorCode.RECORD_LIST_TOO_LARGE:
      return s.records > 1 ? 'split' : 'rejected'
    case ErrorCode.UNKNOWN_PRODUCER_ID:
      if (!s.idempotent) return 'rejected'
      if (s.exhausted) return 'abandoned'
      return s.isRenumbered ? 'retry' : 'reset'
    case ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER:
      if (!s.idempotent) return 'rejected'
      if (s.exhausted || (s.isOvertaken && !s.isRenumbered)) return 'abandoned'
      // If an earlier batch must still be sent, the broker expects that batch. If the broker should
      // expect this batch but rejects it, the broker has lost the producer's state.
      return !s.isRenumbered && s.isNext ? 'reset' : 'retry'
    case ErrorCode.INVALID_PRODUCER_EPOCH:
    case ErrorCode.INVALID_PRODUCER_ID_MAPPING:
      if (!s.idempotent) return 'rejected'
      return s.isRenumbered && !s.exhausted ? 'retry' : 'new-identity'
    default:
      if (!isRetriableCode(code)) return 'rejected'
      return s.exhausted ? 'abandoned' : 'retry'
  }
}
