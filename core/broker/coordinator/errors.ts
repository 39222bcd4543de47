import { ErrorCode, kafkaCodeOf } from '../../protocol/index.ts'

/**
 * Returns the error code for a request about a group, if the record that the request needs could
 * not be written. Most of the codes make the client look up the coordinator and retry.
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
 * Returns the error code for an OffsetCommit request whose offsets could not be written. The code
 * differs from that of `groupWriteError` only if a record is too large.
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
