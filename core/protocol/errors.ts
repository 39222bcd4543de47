import { defineErrors, type MillraceError } from '../common/errors/error-table.ts'

export const protocolErrors = defineErrors({
  MR_PROTOCOL_MALFORMED: {
    message: 'Malformed {what}: {detail}',
    fix: 'The peer sent bytes that are not what the protocol says; check that it speaks the Kafka protocol and that nothing alters the stream',
  },
  MR_PROTOCOL_UNSUPPORTED_VERSION: {
    message: '{what} has no version {version} here, only {versions}',
    fix: 'Ask the peer for its versions with ApiVersions, and use one that both sides have',
  },
  MR_PROTOCOL_UNREPRESENTABLE: {
    message: 'Cannot encode {what}: {detail}',
    fix: 'Give a value that the field can hold in this version of the message',
  },
  MR_PROTOCOL_TOO_LARGE: {
    message: 'Decompressed data exceeds {limit} bytes',
    fix: 'Raise the limit if batches of this size are expected; otherwise the batch was made to exhaust memory',
  },
  MR_PROTOCOL_COMPRESSION: {
    message: 'Cannot {action} {codec} data: {detail}',
    fix: 'The batch is damaged or was written by a faulty client',
  },
  MR_PROTOCOL_KAFKA: {
    message: '{name}: {detail}',
    fix: "See Kafka's description of this error code",
  },
})

/** What this room throws on bytes or values that it cannot take. Its `code` says which. */
export type ProtocolError = MillraceError

/** Bytes that are not what the protocol says. */
export function malformed(what: string, detail: string): ProtocolError {
  return protocolErrors.create('MR_PROTOCOL_MALFORMED', { what, detail })
}

/** A value that a field cannot hold. */
export function unrepresentable(what: string, detail: string): ProtocolError {
  return protocolErrors.create('MR_PROTOCOL_UNREPRESENTABLE', { what, detail })
}

/** Whether an error came from this room's reading or writing of bytes. */
export function isProtocolError(error: unknown): error is ProtocolError {
  return (
    typeof error === 'object' &&
    error !== null &&
    'code' in error &&
    typeof error.code === 'string' &&
    error.code.startsWith('MR_PROTOCOL_')
  )
}
