import { ErrorCode, kafkaCodeOf } from '../../protocol/index.ts'

/**
 * The error code for a group's client whose record could not be written. Clients react to these
 * codes by looking up the coordinator and retrying.
 */
export function groupWriteError(error: unknown): number {
  switch (kafkaCodeOf(error)) {
    case ErrorCode.UNKNOWN_TOPIC_OR_PARTITION:
    case ErrorCode.NOT_ENOUGH_REPLICAS:
    case ErrorCode.REQUEST_TIMED_OUT:
      return ErrorCode.COORDINATOR_NOT_AVAILABLE
    case ErrorCode.NOT_LEADER_OR_FOLLOWER:
    case ErrorCode.KAFKA_STORAGE_ERROR:
    case ErrorCode.NOT_COORDINATOR:
      return ErrorCode.NOT_COORDINATOR
    default:
      return ErrorCode.UNKNOWN_SERVER_ERROR
  }
}

/**
 * The error code for an OffsetCommit whose record could not be written. A record that is too large
 * has a different code.
 */
export function commitWriteError(error: unknown): number {
  switch (kafkaCodeOf(error)) {
    case ErrorCode.MESSAGE_TOO_LARGE:
    case ErrorCode.RECORD_LIST_TOO_LARGE:
    case ErrorCode.INVALID_FETCH_SIZE:
      return ErrorCode.INVALID_COMMIT_OFFSET_SIZE
    default:
      return groupWriteError(error)
  }
}
