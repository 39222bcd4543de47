import { ErrorCode, isRetriableCode } from '../../protocol/error-codes.ts'

/** The broker's answer about one batch. */
export interface PartitionAnswer {
  readonly errorCode: number
  /** The log start offset; -1 if the broker does not know it. */
  readonly logStartOffset: number
}

/** The state of the batch and its partition. */
export interface BatchSituation {
  readonly idempotent: boolean
  readonly records: number
  /** Whether no attempts are left. */
  readonly exhausted: boolean
  /** Whether later batches are acknowledged. */
  readonly isOvertaken: boolean
  /** Whether an earlier attempt may have been written. */
  readonly mayBeWritten: boolean
  /** Whether the batch got a new sequence while it was on the wire. */
  readonly isRenumbered: boolean
  /** Whether the broker expects exactly this batch next. */
  readonly isNext: boolean
}

export type Verdict =
  | 'acked'
  | 'retry'
  /** Retry, after the partition has started a new epoch. */
  | 'reset'
  | 'split'
  /** Failed, and certainly not written. */
  | 'rejected'
  /** Rejected, and the producer needs a new identity. */
  | 'new-identity'
  /** Failed, and possibly written. */
  | 'abandoned'

/** Whether the metadata is probably outdated after this error. */
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

/** Whether the batch may be written in spite of this error. */
export function mayBeWrittenAfter(code: number): boolean {
  return (
    code === ErrorCode.REQUEST_TIMED_OUT ||
    code === ErrorCode.NOT_ENOUGH_REPLICAS_AFTER_APPEND ||
    code === ErrorCode.UNKNOWN_SERVER_ERROR
  )
}

/**
 * Decides what to do with a batch after the broker's answer. The rules are those of Java's Sender
 * and TransactionManager.
 */
export function judge(answer: PartitionAnswer, s: BatchSituation): Verdict {
  const verdict = judgeAttempt(answer, s)
  if (verdict !== 'rejected' || !s.idempotent) return verdict
  // If the batch may be written, no other batch may take over its sequence: the broker would treat
  // that batch as a repetition.
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
      // If the broker expects another batch, that one is still to be sent. If it expects this one,
      // it has lost its state.
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
