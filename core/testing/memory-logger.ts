import { LOG_LEVELS, type Logger, type LogLevel } from '../common/log.ts'

/** A line of a `MemoryLogger`. */
export interface LogLine {
  readonly level: LogLevel
  readonly message: string
  readonly error?: unknown
}

export interface MemoryLoggerOptions {
  /** The list to which the lines are added. Default: a new list. */
  readonly lines?: LogLine[]
  /** The text that is added before each message. */
  readonly context?: string
  /** Called after each line. */
  readonly onLine?: () => void
  /** Returns whether to drop the next line. */
  readonly isMuted?: () => boolean
}

/** A logger that stores its lines in memory, so that a test can check them. */
export class MemoryLogger implements Logger {
  readonly name: string
  readonly lines: LogLine[]
  readonly #context: string
  readonly #onLine: () => void
  readonly #isMuted: () => boolean

  constructor(name = 'test', options: MemoryLoggerOptions = {}) {
    this.name = name
    this.lines = options.lines ?? []
    this.#context = options.context ?? ''
    this.#onLine = options.onLine ?? (() => {})
    this.#isMuted = options.isMuted ?? (() => false)
  }

  trace(message: string): void {
    this.#add('TRACE', message)
  }

  debug(message: string): void {
    this.#add('DEBUG', message)
  }

  info(message: string): void {
    this.#add('INFO', message)
  }

  warn(message: string, error?: unknown): void {
    this.#add('WARN', message, error)
  }

  error(message: string, error?: unknown): void {
    this.#add('ERROR', message, error)
  }

  isEnabled(level: LogLevel): boolean {
    return LOG_LEVELS.includes(level)
  }

  withContext(context: string): Logger {
    const { lines } = this
    return new MemoryLogger(this.name, { lines, context, onLine: this.#onLine, isMuted: this.#isMuted })
  }

  /** Returns all lines as text. It includes the stacks of errors. */
  text(): string {
    return this.lines
      .map(({ level, message, error }) => `${level} ${message}${error instanceof Error ? `\n${error.stack}` : ''}`)
      .join('\n')
  }

  #add(level: LogLevel, message: string, error?: unknown): void {
    if (this.#isMuted()) return
    this.lines.push({ level, message: `${this.#context}${message}`, error })
    this.#onLine()
  }
}
