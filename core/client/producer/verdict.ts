import { ErrorCode, isRetriableCode } from '../../protocol/error-codes.ts'

/** What a broker said about one batch. */
export interface PartitionAnswer {
  readonly errorCode: number
  /** -1 from old brokers. */
  readonly logStartOffset: number
}

/** What is known of the batch and its partition. */
export interface BatchSituation {
  readonly idempotent: boolean
  readonly records: number
  /** No attempts are left, or the delivery timeout has passed. */
  readonly exhausted: boolean
  /** Batches behind it have been acknowledged. */
  readonly isOvertaken: boolean
  /** An earlier attempt may have been written. */
  readonly uncertain: boolean
  /** The batch was numbered anew while it was on its way. */
  readonly stale: boolean
  /** The broker should have taken it as the very next one. */
  readonly isNext: boolean
}

export type Verdict =
  | 'acked'
  | 'retry'
  /** As retry, but the partition starts anew in another epoch. */
  | 'reset'
  | 'split'
  /** Refused for good: certainly not written. */
  | 'refused'
  /** As refused, and the producer's identity is worth nothing any more. */
  | 'new-identity'
  /** Given up; nobody knows whether it was written. */
  | 'abandoned'

/** Errors after which the metadata is probably out of date. */
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

/** Errors with which a broker does not say that the batch was not written. */
export function leavesOpen(code: number): boolean {
  return (
    code === ErrorCode.REQUEST_TIMED_OUT ||
    code === ErrorCode.NOT_ENOUGH_REPLICAS_AFTER_APPEND ||
    code === ErrorCode.UNKNOWN_SERVER_ERROR
  )
}

/** What to do with a batch after the broker's answer. Pure; the rules are those of Java's Sender and TransactionManager. */
export function judge(answer: PartitionAnswer, s: BatchSituation): Verdict {
  const verdict = judgeAttempt(answer, s)
  // Its sequence must not be given to others if the broker may have it already: it would take them for repetitions.
  return verdict === 'refused' && s.idempotent && (s.uncertain || leavesOpen(answer.errorCode)) ? 'abandoned' : verdict
}

function judgeAttempt(answer: PartitionAnswer, s: BatchSituation): Verdict {
  const code = answer.errorCode
  switch (code) {
    case ErrorCode.NONE:
    // Written by an earlier attempt whose answer got lost.
    case ErrorCode.DUPLICATE_SEQUENCE_NUMBER:
      return 'acked'
    case ErrorCode.MESSAGE_TOO_LARGE:
    case ErrorCode.RECORD_LIST_TOO_LARGE:
      return s.records > 1 ? 'split' : 'refused'
    case ErrorCode.UNKNOWN_PRODUCER_ID:
      if (!s.idempotent) return 'refused'
      if (s.exhausted) return 'abandoned'
      return s.stale ? 'retry' : 'reset'
    case ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER:
      if (!s.idempotent) return 'refused'
      if (s.exhausted || (s.isOvertaken && !s.stale)) return 'abandoned'
      // A batch before it is still to come; or it is the one that must come next, and the broker's state is gone.
      return !s.stale && s.isNext ? 'reset' : 'retry'
    case ErrorCode.INVALID_PRODUCER_EPOCH:
    case ErrorCode.INVALID_PRODUCER_ID_MAPPING:
      if (!s.idempotent) return 'refused'
      return s.stale && !s.exhausted ? 'retry' : 'new-identity'
    default:
      if (!isRetriableCode(code)) return 'refused'
      return s.exhausted ? 'abandoned' : 'retry'
  }
}
