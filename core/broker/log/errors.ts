import { defineErrors } from '../../common/errors/error-table.ts'

/**
 * Errors of the log's files and directories. Errors in responses to clients are KafkaErrors, which
 * the protocol module declares.
 */
export const logErrors = defineErrors({
  MR_LOG_DIR_UNUSABLE: {
    message: 'cannot use the log directory {dir}: {cause}',
    fix: 'Create the directory or make it writable for this user, or choose another directory in log.dirs (or --data-dir).',
  },
  MR_LOG_OLD_FORMAT: {
    message: '{file} contains a record batch of format v{magic} at byte {position}, written before Kafka 0.11',
    fix: 'Use Kafka 3.x to mirror the topic into a new topic. Kafka 4 and Millrace support only format v2.',
  },
  MR_LOG_CHECKPOINT_MALFORMED: {
    message: 'the checkpoint file {file} is malformed: {cause}',
    fix: 'Delete the file. The log is then recovered from its segments.',
  },
  MR_LOG_OPEN_FAILED: {
    message: 'cannot open the log {name} in {dir}: {cause}',
    fix: 'Fix the cause, then restart the broker. No data was deleted.',
  },
})
