import { messageOf } from '../../../common/errors/error-table.ts'
import { createLogger } from '../../../common/log.ts'
import { redact } from '../failures/redact.ts'

/**
 * Hides this thread's secrets in output that does not use a logger. Text that is written to stderr,
 * for example by console.error, becomes a log entry. An uncaught error still ends the thread, but
 * the secrets in its messages and stack traces are hidden.
 */
export function logProcessOutput(): void {
  const logger = createLogger('millrace.task.stderr')
  const write = (chunk: string | Uint8Array, ...rest: unknown[]): boolean => {
    const text = typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString()
    if (text.trim() !== '') logger.warn(text.trimEnd())
    const done = rest.at(-1)
    if (typeof done === 'function') process.nextTick(done)
    return true
  }
  process.stderr.write = write
  process.on('uncaughtException', thrown => {
    // If a plugin has its own listener, that listener may handle the error.
    if (process.listenerCount('uncaughtException') === 1) throw withoutSecrets(thrown)
  })
}

/**
 * Hides secrets in the error and its causes. The errors are changed and not copied, because the
 * host uses their class and code.
 */
function withoutSecrets(thrown: unknown): unknown {
  if (!(thrown instanceof Error)) return new Error(redact(messageOf(thrown)))
  const seen = new Set<unknown>()
  for (let error: unknown = thrown; error instanceof Error && !seen.has(error); error = error.cause) {
    seen.add(error)
    const { message, stack } = error
    error.message = redact(message)
    if (stack !== undefined) error.stack = redact(stack)
  }
  return thrown
}
