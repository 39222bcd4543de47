import { messageOf } from '../../../common/errors/error-table.ts'
import { createLogger } from '../../../common/log.ts'
import { redact } from '../failures/redact.ts'

/**
 * Hides the secrets of this thread in output that bypasses its logger. Text on stderr, for example
 * from console.error, becomes a log entry. An uncaught error still ends the thread.
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
    // A plugin may have its own listener, which may handle the error
    if (process.listenerCount('uncaughtException') === 1) throw withoutSecrets(thrown)
  })
}

/** Changes the error and its causes in place, because its class and its code are used later. */
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
