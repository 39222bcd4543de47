import { isRetriable, messageOf } from '../../../common/errors/error-table.ts'
import type { Failure } from '../host/messages-out.ts'
import { redact } from './redact.ts'

/**
 * Returns the stack trace of an error and of at most 9 causes, without secrets. As in Java, each
 * cause follows "Caused by:".
 */
export function traceOf(error: unknown): string {
  if (!(error instanceof Error)) return redact(`${messageOf(error)} (not an Error, so it has no stack trace)`)
  const parts: string[] = []
  let at: unknown = error
  for (let depth = 0; depth < 10 && at !== undefined && at !== null; depth++) {
    const text = at instanceof Error ? (at.stack ?? `${at.name}: ${at.message}`) : messageOf(at)
    parts.push(depth === 0 ? text : `Caused by: ${text}`)
    at = at instanceof Error ? at.cause : undefined
  }
  return redact(parts.join('\n'))
}

/**
 * Converts any thrown value to a Failure. Never throws, because the herder must learn of every
 * failure to update the status of the unit.
 */
export function failureOf(error: unknown): Failure {
  const message = redact(messageOf(error))
  try {
    const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
    return { message, trace: traceOf(error), retriable: isRetriable(error), code }
  } catch {
    return { message, trace: message, retriable: false, code: undefined }
  }
}

/** An Error for a failure that another thread has sent. */
export class RemoteError extends Error {
  readonly retriable: boolean
  readonly code: string | undefined
  readonly trace: string

  constructor(failure: Failure) {
    super(failure.message)
    this.name = 'RemoteError'
    this.retriable = failure.retriable
    this.code = failure.code
    this.trace = failure.trace
    this.stack = failure.trace
  }
}
