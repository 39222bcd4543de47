import { defineErrors } from '../common/errors/error-table.ts'

export const clientErrors = defineErrors({
  MR_CLIENT_CONNECT: {
    message: 'cannot connect to the broker at {address}: {cause}',
    fix: "Check that a broker listens at this address. Check bootstrap.servers and the broker's advertised.listeners.",
    retriable: true,
  },
  MR_CLIENT_NO_BROKER: {
    message: 'no broker is available at {addresses}: {cause}',
    fix: 'Check bootstrap.servers, and check that the brokers are running.',
    retriable: true,
  },
  MR_CLIENT_UNKNOWN_BROKER: {
    message: 'broker {id} is not in the metadata',
    fix: 'The broker has left the cluster, or is starting. The client refreshes the metadata automatically. If this continues, check that the broker is running.',
    retriable: true,
  },
  MR_CLIENT_NO_LEADER: {
    message: 'partition {topic}-{partition} has no leader',
    fix: 'Check that the brokers of the partition are running. The client retries automatically.',
    retriable: true,
  },
  MR_CLIENT_DISCONNECTED: {
    message: 'the connection to the broker at {address} was closed: {cause}',
    fix: "The client reconnects automatically. If this happens often, check the broker's log.",
    retriable: true,
  },
  MR_CLIENT_REQUEST_TIMEOUT: {
    message: 'the broker at {address} did not answer {api} within {ms} ms',
    fix: "Check the broker's load, or raise request.timeout.ms.",
    retriable: true,
  },
  MR_CLIENT_BAD_RESPONSE: {
    message: 'the broker at {address} sent a response that cannot be read: {cause}',
    fix: 'Check that the address belongs to a plaintext listener of a Kafka broker.',
    retriable: true,
  },
  MR_CLIENT_UNSUPPORTED_VERSION: {
    message: 'the broker at {address} supports {offered} of {api}, but this client needs {needed}',
    fix: 'Use a broker of Kafka 2.1 or later.',
  },
  MR_CLIENT_CLOSED: { message: 'the {what} is closed', fix: 'Create a new {what}: a closed one cannot be reopened.' },
  MR_CLIENT_ABORTED: {
    message: 'the record was not sent because an earlier record failed',
    fix: 'Handle the failure of the earlier record, then send this record again.',
    retriable: true,
  },
  MR_CLIENT_TOO_MANY_REQUESTS: {
    message: 'more than {limit} requests are waiting for a response from {address}',
    fix: 'Wait for responses before you send more requests.',
    retriable: true,
  },
  MR_CLIENT_METADATA_TIMEOUT: {
    message: 'topic {topic} is not in the metadata after {ms} ms: {cause}',
    fix: 'Create the topic, or set auto.create.topics.enable=true on the brokers, or raise max.block.ms.',
    retriable: true,
  },
  MR_CLIENT_UNKNOWN_PARTITION: {
    message: 'topic {topic} has {count} partitions, so there is no partition {partition}',
    fix: 'Use a lower partition number, or omit the partition.',
  },
  MR_CLIENT_RECORD_TOO_LARGE: {
    message: 'a record of {size} bytes for {topic} is larger than {key} ({limit} bytes)',
    fix: "Raise {key}. If you raise max.request.size, also raise the topic's max.message.bytes.",
  },
  MR_CLIENT_DELIVERY_TIMEOUT: {
    message: '{count} records for {topic}-{partition} were not acknowledged within {ms} ms: {cause}',
    fix: 'Check that the broker that leads the partition is running and reachable, or raise delivery.timeout.ms.',
    retriable: true,
  },
  MR_CLIENT_BAD_RECORD: {
    message: 'invalid record for {topic}: {cause}',
    fix: 'A key or header value must be a Buffer or null. A value must be a Buffer, a string or null. A timestamp must be a whole number of milliseconds since 1970.',
  },
  MR_CLIENT_NO_GROUP: {
    message: 'the method {what} requires a group.id',
    fix: 'Set group.id.',
  },
  MR_CLIENT_STATE: {
    message: '{what}',
    fix: 'Correct the calling code.',
  },
  MR_CLIENT_NO_OFFSET: {
    message: 'no committed offset for {partitions}, and auto.offset.reset=none',
    fix: 'Commit an offset, seek, or set auto.offset.reset to earliest or latest.',
  },
  MR_CLIENT_OFFSET_OUT_OF_RANGE: {
    message: 'offset {offset} of {partition} is out of range, and auto.offset.reset=none',
    fix: 'Seek to an offset that exists, or set auto.offset.reset.',
  },
  MR_CLIENT_CORRUPT_RECORDS: {
    message: 'the records of {partition} at offset {offset} cannot be read: {cause}',
    fix: "Check the broker's disk. To skip these records, seek past this offset.",
  },
  MR_CLIENT_INVALID_TOPICS: {
    message: 'invalid topics: [{topics}]',
    fix: 'A topic name has 1 to 249 characters: letters, digits, ".", "_" and "-". To read the topics that match a pattern, subscribe to the pattern (topics.regex of a sink).',
  },
  MR_CLIENT_LOG_TRUNCATED: {
    message:
      'the log of {partition} was truncated {where}, but the consumer was at offset {position}, and auto.offset.reset=none',
    fix: 'Seek to the offset from which to continue, or set auto.offset.reset. Other records may have replaced the records that the consumer has read.',
  },
  MR_CLIENT_COMMIT_FAILED: {
    message: 'the offsets were not committed because the group {group} has rebalanced: {cause}',
    fix: 'Poll again, so that the consumer rejoins the group. If this happens often, process fewer records between two polls, or raise max.poll.interval.ms.',
  },
  MR_CLIENT_INCONSISTENT_GROUP: {
    message: 'the group {group} chose the assignor {protocol}, which this consumer does not have',
    fix: 'Set a common partition.assignment.strategy for all members of the group.',
  },
  MR_CLIENT_TIMEOUT: {
    message: '{what} did not finish within {ms} ms: {cause}',
    fix: 'Try again, or use a longer timeout.',
    retriable: true,
  },
})

const NOT_SENT: ReadonlySet<unknown> = new Set(['MR_CLIENT_CONNECT', 'MR_CLIENT_UNKNOWN_BROKER'])
const CONNECTION_LOST: ReadonlySet<unknown> = new Set([
  'MR_CLIENT_DISCONNECTED',
  'MR_CLIENT_REQUEST_TIMEOUT',
  'MR_CLIENT_BAD_RESPONSE',
])

const codeOf = (error: unknown) => (error as { code?: unknown }).code

/**
 * Returns whether the error means that the client could not connect to the broker, or lost the
 * connection.
 */
export function isConnectionError(error: unknown): boolean {
  return NOT_SENT.has(codeOf(error)) || CONNECTION_LOST.has(codeOf(error))
}

/** Returns whether the broker may have handled a request that failed with this error. */
export function mayHaveArrived(error: unknown): boolean {
  return (
    CONNECTION_LOST.has(codeOf(error)) || (error instanceof Error && error.cause != null && mayHaveArrived(error.cause))
  )
}
