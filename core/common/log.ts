import { messageOf } from './errors/error-table.ts'

/** Log levels, the least severe first. `OFF` silences. Named as Kafka's loggers name them. */
export const LOG_LEVELS = ['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL', 'OFF'] as const
export type LogLevel = (typeof LOG_LEVELS)[number]

/** One line for the log. `context` stands in brackets before the message, as Connect's `connector.context` does. */
export interface LogEntry {
  readonly time: number
  readonly level: LogLevel
  readonly logger: string
  readonly context: string
  readonly message: string
  /** The stack of an error that goes with it. */
  readonly stack?: string | undefined
}

/** Writes to the log. Cheap when the level is off. Never give it a secret. */
export interface Logger {
  readonly name: string
  trace(message: string): void
  debug(message: string): void
  info(message: string): void
  warn(message: string, error?: unknown): void
  error(message: string, error?: unknown): void
  isEnabled(level: LogLevel): boolean
  /** The same logger with a context in brackets, such as `[orders|task-0] `. */
  withContext(context: string): Logger
}

export type LogSink = (entry: LogEntry) => void

/** `MILLRACE_LOG_LEVEL` sets the level that a process starts with, for all loggers. */
function initialLevel(): LogLevel {
  const wanted = process.env['MILLRACE_LOG_LEVEL']?.toUpperCase()
  return LOG_LEVELS.find(level => level === wanted) ?? 'INFO'
}

const levels = new Map<string, LogLevel>([['root', initialLevel()]])
let sink: LogSink = writeToStderr

function writeToStderr(e: LogEntry): void {
  const time = new Date(e.time).toISOString().replace('T', ' ').replace('Z', '').replace('.', ',')
  process.stderr.write(`[${time}] ${e.level} ${e.context}${e.message} (${e.logger})\n${e.stack ? `${e.stack}\n` : ''}`)
}

/** Where entries go: stderr by default; a task thread sends them to its herder's thread. */
export function setLogSink(next: LogSink | null): void {
  sink = next ?? writeToStderr
}

/** Writes an entry that was made elsewhere, as in another thread, where its level was checked. */
export function emitLog(entry: LogEntry): void {
  sink(entry)
}

/** Sets a logger's level, for it and all below it (`root` for all). Null removes the setting. */
export function setLogLevel(logger: string, level: LogLevel | null): void {
  if (level === null) levels.delete(logger)
  else levels.set(logger, level)
}

/** The levels that were set, by logger. */
export function logLevels(): ReadonlyMap<string, LogLevel> {
  return levels
}

/** The level in force for a logger: its own or that of its nearest ancestor by dots. */
export function effectiveLevel(logger: string): LogLevel {
  for (let name = logger; name !== ''; name = name.slice(0, Math.max(0, name.lastIndexOf('.')))) {
    const level = levels.get(name)
    if (level) return level
  }
  return levels.get('root') ?? 'INFO'
}

/** The logger of a name with dots, such as `millrace.broker.log`. */
export function createLogger(name: string, context = ''): Logger {
  const isEnabled = (level: LogLevel) => LOG_LEVELS.indexOf(level) >= LOG_LEVELS.indexOf(effectiveLevel(name))
  const write = (level: LogLevel, message: string, error?: unknown) => {
    if (!isEnabled(level)) return
    const stack =
      error instanceof Error ? (error.stack ?? error.message) : error === undefined ? undefined : messageOf(error)
    sink({ time: Date.now(), level, logger: name, context, message, stack })
  }
  return {
    name,
    trace: m => write('TRACE', m),
    debug: m => write('DEBUG', m),
    info: m => write('INFO', m),
    warn: (m, e) => write('WARN', m, e),
    error: (m, e) => write('ERROR', m, e),
    isEnabled,
    withContext: c => createLogger(name, c),
  }
}
