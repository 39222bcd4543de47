import { MillraceError } from '../common/errors/error-table.ts'
import { ERROR_CODES } from './error-code-table.ts'
import { protocolErrors } from './errors.ts'

export type ErrorName = (typeof ERROR_CODES)[number][1]

interface ErrorRow {
  readonly code: number
  readonly name: ErrorName
  readonly retriable: boolean
  readonly message: string
}

const rows = new Map<number, ErrorRow>(
  ERROR_CODES.map(([code, name, retriable, message]) => [code, { code, name, retriable, message }]),
)

/** All error codes, by their names in Java's `Errors`. */
export const ErrorCode = Object.fromEntries(ERROR_CODES.map(([code, name]) => [name, code])) as {
  readonly [K in ErrorName]: Extract<(typeof ERROR_CODES)[number], readonly [number, K, ...unknown[]]>[0]
}

/** Returns the name of a code. Returns `ERROR_<code>` for an unknown code. */
export function errorName(code: number): string {
  return rows.get(code)?.name ?? `ERROR_${code}`
}

/** Returns Kafka's message for a code. */
export function errorMessage(code: number): string {
  return rows.get(code)?.message ?? `The server answered with the unknown error code ${code}.`
}

/** Returns whether Java's exception for a code is retriable. */
export function isRetriableCode(code: number): boolean {
  return rows.get(code)?.retriable ?? false
}

/** An error with a code of the Kafka protocol. */
export class KafkaError extends MillraceError {
  readonly kafkaCode: number
  /** The text for the field `errorMessage` of a response. */
  readonly detail: string

  constructor(kafkaCode: number, detail?: string, options?: ErrorOptions) {
    const shown = detail ?? errorMessage(kafkaCode)
    super(
      'MR_PROTOCOL_KAFKA',
      { ...protocolErrors.rows.MR_PROTOCOL_KAFKA, retriable: isRetriableCode(kafkaCode) },
      { name: errorName(kafkaCode), detail: shown.replace(/\.$/, '') },
      options,
    )
    this.name = 'KafkaError'
    this.kafkaCode = kafkaCode
    this.detail = shown
  }
}

/** Returns the error for a code. `detail` replaces Kafka's general message. */
export function errorFor(code: number, detail?: string, options?: ErrorOptions): KafkaError {
  return new KafkaError(code, detail, options)
}

const DAMAGED = new Set<unknown>(['MR_PROTOCOL_MALFORMED', 'MR_PROTOCOL_COMPRESSION', 'MR_PROTOCOL_TOO_LARGE'])

/**
 * Returns the Kafka error code for any error. The code is CORRUPT_MESSAGE for bytes that cannot be
 * decoded, and UNKNOWN_SERVER_ERROR for any other error without a code.
 */
export function kafkaCodeOf(error: unknown): number {
  if (typeof error !== 'object' || error === null) return ErrorCode.UNKNOWN_SERVER_ERROR
  if ('kafkaCode' in error && typeof error.kafkaCode === 'number') return error.kafkaCode
  if ('code' in error && DAMAGED.has(error.code)) return ErrorCode.CORRUPT_MESSAGE
  return ErrorCode.UNKNOWN_SERVER_ERROR
}
