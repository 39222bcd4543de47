import { defineErrors } from '../../common/errors/error-table.ts'

/** Errors of the log that stop the broker's start. What a request can see is a KafkaError of the protocol. */
export const logErrors = defineErrors({
  MR_LOG_DIR_UNUSABLE: {
    message: 'log directory {dir} cannot be used: {cause}',
    fix: 'Create it or make it writable for this user, or set log.dirs (or --data-dir) to another place.',
  },
  MR_LOG_OLD_FORMAT: {
    message: '{file} holds record batches of format v{magic} at byte {position}, from before Kafka 0.11',
    fix: 'Convert the topic with Kafka 3.x (mirror it into a new topic), since Kafka 4 and Millrace keep format v2 only.',
  },
  MR_LOG_CHECKPOINT_MALFORMED: {
    message: 'checkpoint file {file} is malformed: {cause}',
    fix: 'Delete it: the log then recovers by reading its segments.',
  },
  MR_LOG_OPEN_FAILED: {
    message: 'the log {name} in {dir} cannot be opened: {cause}',
    fix: 'Repair the cause and start again; nothing was deleted.',
  },
})
