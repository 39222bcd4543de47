import { createRequire } from 'node:module'
import type pinoModule from 'pino'
import type { LogEntry, LogSink } from '../log.ts'
import { LogOutput } from './output.ts'

export type LogFormat = 'text' | 'json'

export const LOG_FORMATS: readonly LogFormat[] = ['text', 'json']

/** Returns a sink that writes entries as lines to an output. */
export function logWriter(format: LogFormat, output: Pick<LogOutput, 'write'>): LogSink {
  return format === 'json' ? jsonWriter(output) : entry => output.write(textLine(entry))
}

/** Returns a line in the format of Log4j, followed by the stack of the error. */
function textLine(entry: LogEntry): string {
  const time = new Date(entry.time).toISOString()
  const stamp = `${time.slice(0, 10)} ${time.slice(11, 19)},${time.slice(20, 23)}`
  const stack = entry.error ? `${entry.error.stack}\n` : ''
  return `[${stamp}] ${entry.level} ${entry.context}${entry.message} (${entry.logger})\n${stack}`
}

/**
 * Returns a sink that writes one JSON object per line. pino is loaded only here, because most
 * processes log text.
 */
function jsonWriter(output: Pick<LogOutput, 'write'>): LogSink {
  const require = createRequire(import.meta.url)
  const pino = require('pino') as typeof pinoModule
  const options = {
    level: 'trace',
    base: null,
    timestamp: false,
    messageKey: 'message',
    formatters: { level: (label: string) => ({ level: label.toUpperCase() }) },
  }
  const logger = pino(options, output)
  return entry => {
    if (entry.level === 'OFF') return
    const level = entry.level.toLowerCase() as pinoModule.Level
    const { connector, task } = entry.fields
    const fields = {
      time: new Date(entry.time).toISOString(),
      logger: entry.logger,
      connector,
      task,
      // With the fields connector and task, the context [orders|task-0] would be redundant.
      context: connector === undefined ? entry.context.trim().replace(/^\[(.*)\]$/, '$1') || undefined : undefined,
      error: entry.error,
    }
    logger[level](fields, entry.message)
  }
}

let stderr: LogOutput | null = null
const sinks = new Map<LogFormat, LogSink>()

/** Returns the sink that writes to stderr. Creates it at the first call. */
export function stderrSink(format: LogFormat): LogSink {
  let sink = sinks.get(format)
  if (sink) return sink
  stderr ??= new LogOutput(2, {
    onDropped: count => sinks.get(format)?.(droppedEntry(count)),
    // A failed write to stderr cannot be reported anywhere else.
    onError: () => {},
  })
  sink = logWriter(format, stderr)
  sinks.set(format, sink)
  return sink
}

/** Returns a log entry that reports the number of dropped entries. */
export function droppedEntry(count: number): LogEntry {
  return {
    time: Date.now(),
    level: 'WARN',
    logger: 'millrace.log',
    context: '',
    fields: {},
    message: `Dropped ${count} log entries, because the log was full or its reader too slow`,
  }
}
