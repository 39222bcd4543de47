import { defineErrors } from '../common/errors/error-table.ts'

export const clientErrors = defineErrors({
  MR_CLIENT_CONNECT: {
    message: 'cannot connect to the broker at {address}: {cause}',
    fix: "Check that a broker listens there, and bootstrap.servers and the broker's advertised.listeners.",
    retriable: true,
  },
  MR_CLIENT_NO_BROKER: {
    message: 'no broker answers, tried {addresses}: {cause}',
    fix: 'Check bootstrap.servers and that the brokers run.',
    retriable: true,
  },
  MR_CLIENT_UNKNOWN_BROKER: {
    message: 'broker {id} is not in the metadata',
    fix: 'It has left the cluster, or is starting; the client looks again by itself.',
    retriable: true,
  },
  MR_CLIENT_NO_LEADER: {
    message: 'partition {topic}-{partition} has no leader at present',
    fix: 'Check that its brokers run; the client asks again by itself.',
    retriable: true,
  },
  MR_CLIENT_DISCONNECTED: {
    message: 'the connection to the broker at {address} ended: {cause}',
    fix: "The client connects again by itself; look at the broker's log if this goes on.",
    retriable: true,
  },
  MR_CLIENT_REQUEST_TIMEOUT: {
    message: 'the broker at {address} did not answer {api} within {ms} ms',
    fix: "Check the broker's load, or raise request.timeout.ms.",
    retriable: true,
  },
  MR_CLIENT_BAD_RESPONSE: {
    message: 'the broker at {address} sent a response that cannot be read: {cause}',
    fix: 'Check that the address is that of a Kafka protocol listener without TLS.',
    retriable: true,
  },
  MR_CLIENT_UNSUPPORTED_VERSION: {
    message: 'the broker at {address} offers {api} {offered}, this client needs {needed}',
    fix: 'Use a broker of Kafka 2.1 or later.',
  },
  MR_CLIENT_CLOSED: { message: 'the {what} is closed', fix: 'Make a new one.' },
  MR_CLIENT_ABORTED: {
    message: 'the record was not sent because an earlier one failed',
    fix: 'Handle the failure of the earlier record, then send this one again.',
    retriable: true,
  },
  MR_CLIENT_TOO_MANY_REQUESTS: {
    message: 'more than {limit} requests wait on the connection to {address}',
    fix: 'Wait for answers before asking more.',
    retriable: true,
  },
  MR_CLIENT_METADATA_TIMEOUT: {
    message: 'topic {topic} is not in the metadata after {ms} ms: {cause}',
    fix: 'Create the topic, or allow its automatic creation (auto.create.topics.enable); or raise max.block.ms.',
    retriable: true,
  },
  MR_CLIENT_UNKNOWN_PARTITION: {
    message: 'topic {topic} has {count} partitions, so there is no partition {partition}',
    fix: 'Use a partition number below that, or none.',
  },
  MR_CLIENT_RECORD_TOO_LARGE: {
    message: 'a record of {size} bytes for {topic} is larger than {limit} bytes, which is {key}',
    fix: "Raise max.request.size (and the topic's max.message.bytes), or buffer.memory if that is the limit.",
  },
  MR_CLIENT_DELIVERY_TIMEOUT: {
    message: '{count} records for {topic}-{partition} were not acknowledged within {ms} ms: {cause}',
    fix: "Check the partition's leader, or raise delivery.timeout.ms.",
    retriable: true,
  },
  MR_CLIENT_BAD_RECORD: {
    message: 'a record for {topic} cannot be written: {cause}',
    fix: 'Keys and values are Buffers or null; timestamps are numbers of milliseconds, not negative.',
  },
  MR_CLIENT_NO_GROUP: {
    message: '{what} needs a group',
    fix: 'Set group.id.',
  },
  MR_CLIENT_STATE: {
    message: '{what}',
    fix: 'Correct the calling code.',
  },
  MR_CLIENT_NO_OFFSET: {
    message: 'no committed offset for {partitions}, and auto.offset.reset is none',
    fix: 'Commit an offset, seek, or set auto.offset.reset to earliest or latest.',
  },
  MR_CLIENT_OFFSET_OUT_OF_RANGE: {
    message: 'offset {offset} of {partition} is out of range, and auto.offset.reset is none',
    fix: 'Seek to an offset that exists, or set auto.offset.reset.',
  },
  MR_CLIENT_CORRUPT_RECORDS: {
    message: 'the records of {partition} at offset {offset} cannot be read: {cause}',
    fix: "Check the broker's disk; to go on without them, seek past that offset.",
  },
  MR_CLIENT_INVALID_TOPICS: {
    message: 'invalid topics: [{topics}]',
    fix: 'A topic name has 1 to 249 characters: letters, digits, ".", "_" and "-". To read the topics that match a pattern, subscribe to the pattern (topics.regex of a sink).',
  },
  MR_CLIENT_LOG_TRUNCATED: {
    message:
      'the log of {partition} was truncated {where}, below the position {position}, and auto.offset.reset is none',
    fix: 'Seek to the offset to continue at, or set auto.offset.reset. Other records may have replaced the ones that were read.',
  },
  MR_CLIENT_COMMIT_FAILED: {
    message: 'the offsets were not committed, since the group {group} has rebalanced: {cause}',
    fix: 'Poll again; process less between two polls, or raise max.poll.interval.ms.',
  },
  MR_CLIENT_INCONSISTENT_GROUP: {
    message: 'the group {group} chose the assignor {protocol}, which this consumer does not have',
    fix: 'Give all members of the group a common partition.assignment.strategy.',
  },
  MR_CLIENT_TIMEOUT: {
    message: '{what} did not finish within {ms} ms: {cause}',
    fix: 'Try again, or allow more time.',
    retriable: true,
  },
})

const NOT_SENT: ReadonlySet<unknown> = new Set(['MR_CLIENT_CONNECT', 'MR_CLIENT_UNKNOWN_BROKER'])
const CUT_OFF: ReadonlySet<unknown> = new Set([
  'MR_CLIENT_DISCONNECTED',
  'MR_CLIENT_REQUEST_TIMEOUT',
  'MR_CLIENT_BAD_RESPONSE',
])

const codeOf = (error: unknown) => (error as { code?: unknown }).code

/** Whether there was no way to the broker, or it broke: another may have to be found. */
export function isConnectionError(error: unknown): boolean {
  return NOT_SENT.has(codeOf(error)) || CUT_OFF.has(codeOf(error))
}

/** Whether a request that failed so may still have been carried out. */
export function mayHaveArrived(error: unknown): boolean {
  return CUT_OFF.has(codeOf(error)) || (error instanceof Error && error.cause != null && mayHaveArrived(error.cause))
}
