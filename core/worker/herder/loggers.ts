import { effectiveLevel, LOG_LEVELS, type LogLevel, logLevels, setLogLevel } from '../../common/log.ts'
import { badRequest, notFound } from './rest-error.ts'

export interface LoggerInfo {
  readonly level: string
  /** The time when REST set the level, ms since 1970; null if REST never set it. */
  readonly last_modified: number | null
}

/** The log levels of this worker. REST reads and sets them. */
export class Loggers {
  readonly #modified = new Map<string, number>()
  readonly #broadcast: (logger: string, level: LogLevel) => void
  readonly #now: () => number

  /** `broadcast` sets a level in the threads of all connectors and tasks. */
  constructor(broadcast: (logger: string, level: LogLevel) => void, now: () => number = Date.now) {
    this.#broadcast = broadcast
    this.#now = now
  }

  all(): Record<string, LoggerInfo> {
    const names = [...new Set(['root', ...logLevels().keys()])].sort()
    return Object.fromEntries(names.map(name => [name, this.#info(name)]))
  }

  /** Throws a 404 for a logger whose level was never set. */
  get(name: string): LoggerInfo {
    if (name !== 'root' && !logLevels().has(name)) throw notFound(`Logger ${name} not found.`)
    return this.#info(name)
  }

  /** Parses the level in a request body. Throws a RestError with Connect's message. */
  parse(body: { [key: string]: unknown } | null): LogLevel {
    const given = body?.['level']
    if (given === undefined || given === null)
      throw badRequest("Desired 'level' parameter was not specified in request.")
    const level = LOG_LEVELS.find(l => l === String(given).toUpperCase())
    if (!level) throw notFound(`invalid log level '${given}'.`)
    return level
  }

  /**
   * Sets the level of a logger and of all loggers below it. Returns the loggers whose level
   * changed.
   */
  set(name: string, level: LogLevel): string[] {
    const changed = [...logLevels().keys()].filter(n => n.startsWith(`${name}.`) && logLevels().get(n) !== level)
    for (const each of [name, ...changed]) {
      setLogLevel(each, level)
      this.#modified.set(each, this.#now())
      this.#broadcast(each, level)
    }
    return [name, ...changed].sort()
  }

  #info(name: string): LoggerInfo {
    return { level: effectiveLevel(name), last_modified: this.#modified.get(name) ?? null }
  }
}
