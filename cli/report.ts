import { emitLog, logFormat, loggedError } from '../core/common/log.ts'
import { stderrSink } from '../core/common/logging/writer.ts'

/**
 * Reports a message to the user of a command: as a line on stderr, or as an entry of the JSON log.
 * The message does not depend on the log level.
 */
export function report(text: string, level: 'INFO' | 'ERROR' = 'INFO'): void {
  if (logFormat() === 'text') process.stderr.write(`millrace: ${text}\n`)
  else {
    stderrSink('json')({ time: Date.now(), level, logger: 'millrace', context: '', fields: {}, message: text })
  }
}

/** Logs the messages that Node would otherwise print on stderr: warnings and uncaught errors. */
export function logProcessErrors(): void {
  const entry = { logger: 'millrace.process', context: '', fields: {} }
  process.removeAllListeners('warning')
  process.on('warning', ({ name, message }) => {
    emitLog({ ...entry, time: Date.now(), level: 'WARN', message: `${name}: ${message}` })
  })
  process.on('uncaughtException', error => {
    const message = 'The process ends, because an error was not caught'
    emitLog({ ...entry, time: Date.now(), level: 'FATAL', message, error: loggedError(error) })
    process.exit(1)
  })
}
