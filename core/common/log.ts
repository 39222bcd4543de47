import { inspect } from 'node:util'
import { messageOf } from './errors/error-table.ts'
import { stackOf } from './errors/stack.ts'
import { type LogFormat, stderrSink } from './logging/writer.ts'

/** Log levels, from the least to the most severe, with Kafka's names. `OFF` disables logging. */
export const LOG_LEVELS = ['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL', 'OFF'] as const
export type LogLevel = (typeof LOG_LEVELS)[number]

/** The subject of an entry, such as the connector and the task. JSON logs contain it as fields. */
export interface LogFields {
  readonly connector?: string
  readonly task?: number
}

/** An error in a form that can be sent to another thread. */
export interface LoggedError {
  /** The name of the error's class. */
  readonly type: string
  readonly message: string
  /** The stack of the error, with the stacks of its causes. */
  readonly stack: string
  /** The error's code, such as `MR_...` or `ECONNREFUSED`. */
  readonly code?: string | undefined
}

/** One entry of the log. */
export interface LogEntry {
  /** Milliseconds since 1970. */
  readonly time: number
  readonly level: LogLevel
  readonly logger: string
  /** Text before the message, such as `[orders|task-0] `, like Connect's `connector.context`. */
  readonly context: string
  readonly fields: LogFields
  readonly message: string
  readonly error?: LoggedError | undefined
}

/** Writes to the log. An entry below the log level costs little. Never log a secret. */
export interface Logger {
  readonly name: string
  trace(message: string): void
  debug(message: string): void
  info(message: string): void
  warn(message: string, error?: unknown): void
  error(message: string, error?: unknown): void
  isEnabled(level: LogLevel): boolean
  /**
   * Returns a logger with the same name, a context such as `[orders|task-0] `, and fields for JSON
   * logs.
   */
  withContext(context: string, fields?: LogFields): Logger
}

export type LogSink = (entry: LogEntry) => void

/** Returns the initial level of all loggers: `MILLRACE_LOG_LEVEL`, or else INFO. */
function initialLevel(): LogLevel {
  const wanted = process.env['MILLRACE_LOG_LEVEL']?.toUpperCase()
  return LOG_LEVELS.find(level => level === wanted) ?? 'INFO'
}

const levels = new Map<string, LogLevel>([['root', initialLevel()]])
let format: LogFormat = process.env['MILLRACE_LOG_FORMAT']?.toLowerCase() === 'json' ? 'json' : 'text'
let sink: LogSink = entry => stderrSink(format)(entry)
const toStderr = sink

/** Returns the format of the log. `MILLRACE_LOG_FORMAT` sets the initial format. */
export function logFormat(): LogFormat {
  return format
}

export function setLogFormat(next: LogFormat): void {
  format = next
}

/**
 * Sets the sink that receives the entries. Null restores the default: stderr. A task thread sends
 * its entries to the herder's thread.
 */
export function setLogSink(next: LogSink | null): void {
  sink = next ?? toStderr
}

/**
 * Writes an entry that another thread created. That thread has already checked the entry's level.
 */
export function emitLog(entry: LogEntry): void {
  sink(entry)
}

/**
 * Sets the level of a logger and of all loggers below it. `root` is the parent of all loggers. Null
 * removes the level.
 */
export function setLogLevel(logger: string, level: LogLevel | null): void {
  if (level === null) levels.delete(logger)
  else levels.set(logger, level)
}

/** Returns the levels that were set, by logger. */
export function logLevels(): ReadonlyMap<string, LogLevel> {
  return levels
}

/**
 * Returns the effective level of a logger: its own, or else that of its nearest ancestor in the
 * dotted name.
 */
export function effectiveLevel(logger: string): LogLevel {
  for (let name = logger; name !== ''; name = name.slice(0, Math.max(0, name.lastIndexOf('.')))) {
    const level = levels.get(name)
    if (level) return level
  }
  return levels.get('root') ?? 'INFO'
}

/** Creates a logger with a dotted name, such as `millrace.broker.log`. */
export function createLogger(name: string, context = '', fields: LogFields = {}): Logger {
  const isEnabled = (level: LogLevel) => LOG_LEVELS.indexOf(level) >= LOG_LEVELS.indexOf(effectiveLevel(name))
  const write = (level: LogLevel, text: unknown, thrown?: unknown) => {
    if (!isEnabled(level)) return
    const message = typeof text === 'string' ? text : textOf(text)
    const error = thrown === undefined ? undefined : loggedError(thrown)
    sink({ time: Date.now(), level, logger: name, context, fields, message, error })
  }
  return {
    name,
    trace: m => write('TRACE', m),
    debug: m => write('DEBUG', m),
    info: m => write('INFO', m),
    warn: (m, e) => write('WARN', m, e),
    error: (m, e) => write('ERROR', m, e),
    isEnabled,
    withContext: (c, f) => createLogger(name, c, f),
  }
}

/** Returns the text of a message that is not a string. Plugins in JavaScript can log any value. */
function textOf(message: unknown): string {
  try {
    return message instanceof Error ? messageOf(message) : inspect(message, { depth: 2, breakLength: Infinity })
  } catch {
    return 'a value was logged that cannot be converted to text'
  }
}

/**
 * Returns the properties of an error that log entries contain. Other properties, such as a client's
 * configuration, are left out, because they may contain secrets.
 */
export function loggedError(thrown: unknown): LoggedError {
  if (!(thrown instanceof Error)) return { type: typeof thrown, message: messageOf(thrown), stack: messageOf(thrown) }
  const code = 'code' in thrown && typeof thrown.code === 'string' ? thrown.code : undefined
  return { type: thrown.name, message: thrown.message, stack: stackOf(thrown), code }
}
