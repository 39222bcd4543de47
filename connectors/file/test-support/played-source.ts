import { appendFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { CompleteSourceRecord, Logger, SourceOffset, SourceRecord } from 'millrace/connect'
import { completeRecord, parseSettings } from 'millrace/testing'
import { sourceConfig } from '../config.ts'
import { FileStreamSourceTask } from '../source-task.ts'

/** Returns a logger that adds its lines to `lines`. Calls `onLine` after each line. */
export function memoryLogger(lines: string[], onLine?: () => void): Logger {
  const add = (level: string) => (message: string) => {
    lines.push(`${level} ${message}`)
    onLine?.()
  }
  const logger: Logger = {
    name: 'test',
    trace: add('TRACE'),
    debug: add('DEBUG'),
    info: add('INFO'),
    warn: add('WARN'),
    error: add('ERROR'),
    isEnabled: () => true,
    withContext: () => logger,
  }
  return logger
}

/** A folder that is removed at the end of the test (`using`). */
export function temporaryFolder(): Disposable & { path(name: string): string } {
  const dir = mkdtempSync(join(tmpdir(), 'millrace-file-'))
  return { path: name => join(dir, name), [Symbol.dispose]: () => rmSync(dir, { recursive: true, force: true }) }
}

/**
 * Runs a source task as the runtime does: calls `poll` in a loop, and keeps its records and its
 * retriable errors. Stops at any other error.
 */
export class PlayedSource {
  readonly records: CompleteSourceRecord[] = []
  readonly problems: string[] = []
  readonly log: string[] = []
  failure: Error | null = null
  /** The last retriable error, until a poll returns. The status of a task would show it. */
  degraded: string | null = null
  polls = 0
  /** The items that the task could not read. They fail the task unless `errors.tolerance=all`. */
  readonly skipped: Error[] = []
  /** The last offset, also that of an item that was skipped. */
  offset: SourceOffset | null = null
  readonly #task = new FileStreamSourceTask()
  readonly #abort = new AbortController()
  #running: Promise<void> = Promise.resolve()
  #waiting: (() => void) | null = null
  #tolerant = false

  static async start(props: Record<string, string>, committed: SourceOffset | null = null): Promise<PlayedSource> {
    const played = new PlayedSource()
    played.#task.context = {
      configs: props,
      version: 'test',
      offsets: { offset: async () => committed, offsets: async p => p.map(() => committed) },
      logger: memoryLogger(played.log, () => played.#waiting?.()),
      signal: played.#abort.signal,
      connector: 'played',
      taskId: 0,
    }
    played.#tolerant = props['errors.tolerance'] === 'all'
    await played.#task.start(parseSettings(sourceConfig, props))
    played.#running = played.#run()
    return played
  }

  get lines(): unknown[] {
    return this.records.map(r => r.value)
  }

  get positions(): unknown[] {
    return this.records.map(r => r.sourceOffset?.['position'])
  }

  async #run(): Promise<void> {
    while (!this.#abort.signal.aborted && !this.failure) {
      this.polls++
      try {
        const batch = await this.#task.poll()
        this.degraded = null
        for (const record of batch ?? []) this.#take(record)
      } catch (error) {
        const { retriable, message } = error as Error & { retriable?: boolean }
        if (retriable) {
          this.problems.push(message)
          this.degraded = message
        } else this.failure = error as Error
      }
      this.#waiting?.()
    }
  }

  #take(record: SourceRecord): void {
    if (record.unwritten instanceof Error) {
      if (!this.#tolerant) throw record.unwritten
      this.skipped.push(record.unwritten)
    }
    if (record.unwritten === undefined) this.records.push(completeRecord(record))
    this.offset = record.sourceOffset ?? null
  }

  /**
   * Resolves when a condition holds after some poll or log line; the test's own time limit ends it
   * otherwise.
   */
  async until(holds: () => boolean): Promise<void> {
    while (!holds()) {
      if (this.failure) throw this.failure
      await new Promise<void>(resolve => {
        this.#waiting = resolve
      })
    }
  }

  async failed(): Promise<Error> {
    while (!this.failure) {
      await new Promise<void>(resolve => {
        this.#waiting = resolve
      })
    }
    return this.failure
  }

  async stop(): Promise<void> {
    this.#abort.abort()
    await this.#running
    await this.#task.stop()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }
}

/** Appends the text to the file, without a line end. */
export const append = (file: string, text: string | Buffer): void => appendFileSync(file, text)
