import { isRetriable, messageOf } from '../../../common/errors/error-table.ts'
import type { Failure } from '../host/messages-out.ts'
import { redact } from './redact.ts'

/**
 * The stack of an error with those of its causes, as Java prints them, secrets hidden. At most 10
 * causes deep.
 */
export function traceOf(error: unknown): string {
  if (!(error instanceof Error)) return redact(`${messageOf(error)} (thrown, and no Error: there is no stack)`)
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
 * Anything thrown, in the form that crosses threads. Never throws: a failure that is not told would
 * leave its unit in no state.
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

/** A failure that came from another thread, as an error again. */
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
