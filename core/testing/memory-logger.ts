import { LOG_LEVELS, type Logger, type LogLevel } from '../common/log.ts'

/** A line of a `MemoryLogger`. */
export interface LogLine {
  readonly level: LogLevel
  readonly message: string
  readonly error?: unknown
}

/** A logger that keeps its lines for a test. */
export class MemoryLogger implements Logger {
  readonly name: string
  readonly lines: LogLine[]
  readonly #context: string
  readonly #onLine: () => void

  /** `onLine` is called after each line. */
  constructor(name = 'test', lines: LogLine[] = [], context = '', onLine: () => void = () => {}) {
    this.name = name
    this.lines = lines
    this.#context = context
    this.#onLine = onLine
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
    return new MemoryLogger(this.name, this.lines, context, this.#onLine)
  }

  /** Returns all lines as text, with the stacks of errors. */
  text(): string {
    return this.lines
      .map(({ level, message, error }) => `${level} ${message}${error instanceof Error ? `\n${error.stack}` : ''}`)
      .join('\n')
  }

  #add(level: LogLevel, message: string, error?: unknown): void {
    this.lines.push({ level, message: `${this.#context}${message}`, error })
    this.#onLine()
  }
}
