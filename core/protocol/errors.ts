import { defineErrors, type MillraceError } from '../common/errors/error-table.ts'

export const protocolErrors = defineErrors({
  MR_PROTOCOL_MALFORMED: {
    message: 'Malformed {what}: {detail}',
    fix: 'Check that the peer speaks the Kafka protocol, and that no proxy changes the data.',
  },
  MR_PROTOCOL_UNSUPPORTED_VERSION: {
    message: '{what} does not support version {version}, only {versions}',
    fix: 'Request the versions of the peer with ApiVersions, and use a version that both sides support.',
  },
  MR_PROTOCOL_UNREPRESENTABLE: {
    message: 'Cannot encode {what}: {detail}',
    fix: 'Use a value that this version of the message allows for the field.',
  },
  MR_PROTOCOL_TOO_LARGE: {
    message: 'Decompressed data exceeds {limit} bytes',
    fix: 'The limit is fixed: make the producer send smaller batches. The batch may also be an attempt to exhaust memory.',
  },
  MR_PROTOCOL_COMPRESSION: {
    message: 'Cannot {action} {codec} data: {detail}',
    fix: 'The batch is damaged. Check the client that wrote it, and the disk of the broker.',
  },
  MR_PROTOCOL_KAFKA: {
    message: '{name}: {detail}',
    fix: "See Kafka's documentation of this error code.",
  },
})

/** An error of the protocol module, identified by its `code`. */
export type ProtocolError = MillraceError

/** Returns the error for bytes that do not follow the protocol. */
export function malformed(what: string, detail: string): ProtocolError {
  return protocolErrors.create('MR_PROTOCOL_MALFORMED', { what, detail })
}

/** Returns the error for a value that does not fit into its field. */
export function unrepresentable(what: string, detail: string): ProtocolError {
  return protocolErrors.create('MR_PROTOCOL_UNREPRESENTABLE', { what, detail })
}

/** Returns whether an error was thrown while encoding or decoding. */
export function isProtocolError(error: unknown): error is ProtocolError {
  return (
    typeof error === 'object' &&
    error !== null &&
    'code' in error &&
    typeof error.code === 'string' &&
    error.code.startsWith('MR_PROTOCOL_')
  )
}
