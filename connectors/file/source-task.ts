import {
  type Header,
  messageOf,
  primitive,
  type SourceLag,
  type SourcePartition,
  type SourceRecord,
  SourceTask,
} from 'millrace/connect'
import type { SourceSettings, sourceConfig } from './config.ts'
import { errors } from './errors.ts'
import { FileLag } from './file-lag.ts'
import { FileWatch } from './file-watch.ts'
import { type Line, LineSplitter } from './line-splitter.ts'
import { StdinReader } from './stdin-reader.ts'
import { TailedFile } from './tailed-file.ts'

const STRING = primitive('string')
const NO_HEADERS: readonly Header[] = Object.freeze([])
/**
 * The maximum number of lines of a poll. With more, objects would survive young-generation garbage
 * collections and fill the old generation.
 */
const POLL_LINES = 200

/** Reads the lines of a file, and new lines as they are appended. Positions are in bytes. */
export class FileStreamSourceTask extends SourceTask<typeof sourceConfig> {
  #settings!: SourceSettings
  /** The partition of all records, or null for standard input. */
  #partition: SourcePartition | null = null
  #splitter = new LineSplitter(0)
  #file: { readonly tail: TailedFile; readonly watch: FileWatch } | null = null
  #stdin: StdinReader | null = null
  #lag: FileLag | null = null
  /** The unterminated last line of a file that was replaced, or of standard input. */
  #last: SourceRecord | null = null
  /**
   * The message of the error that was last reported to the runtime. Null after its cause has
   * passed.
   */
  #reported: string | null = null

  override async start(settings: SourceSettings): Promise<void> {
    this.#settings = settings
    const { file } = settings
    const { offsets, logger } = this.context
    if (!file) {
      this.#splitter = this.#splitterAt(0)
      this.#stdin = new StdinReader()
      return
    }
    this.#partition = Object.freeze({ filename: file })
    const last = await offsets.offset(this.#partition)
    const position = Number(last?.['position'] ?? 0)
    if (!Number.isSafeInteger(position) || position < 0) {
      throw errors.create('MR_FILE_OFFSET', { what: `the committed offset of ${file} is ${JSON.stringify(last)}` })
    }
    this.#splitter = this.#splitterAt(position)
    const watch = new FileWatch(file, error => logger.warn(`watching ${file} failed: ${messageOf(error)}`))
    const tail = new TailedFile(file)
    this.#file = { tail, watch }
    this.#lag = new FileLag({ unread: () => tail.unread(), buffered: () => this.#splitter.pending })
  }

  /**
   * Returns the next lines. Throws an error once, so that the status shows it, and then waits until
   * the cause has passed. An empty batch then removes the message from the status.
   */
  override async poll(): Promise<SourceRecord[] | null> {
    const { signal } = this.context
    while (!signal.aborted) {
      const records = this.#splitter.skipping ? this.#skip() : this.#take()
      if (records.length > 0) return records
      if (this.#splitter.overlong) return [this.#tooLong()]
      const more = this.#stdin ? await this.#readStdin(this.#stdin) : await this.#readFile()
      if (more === 'recovered') return []
      if (more === 'nothing') await this.#awaitChange(signal)
    }
    return null
  }

  /** Returns the lag. Returns null for standard input, and before the file is opened. */
  override lag(): SourceLag | null {
    void this.#lag?.refresh()
    return this.#lag?.read() ?? null
  }

  override async stop(): Promise<void> {
    await this.#file?.watch.close()
    await this.#file?.tail.close()
    await this.#stdin?.close()
  }

  #splitterAt(position: number): LineSplitter {
    return new LineSplitter(position, this.#settings['max.line.bytes'])
  }

  #take(): SourceRecord[] {
    if (this.#last) {
      const last = this.#last
      this.#last = null
      return [last]
    }
    const now = Date.now()
    return this.#splitter
      .take(Math.min(this.#settings['batch.size'], POLL_LINES))
      .map(line => this.#record(line, line.end, now))
  }

  #record(line: Line, position: number, timestamp: number): SourceRecord {
    const sourcePartition = this.#partition
    return {
      sourcePartition,
      sourceOffset: sourcePartition && { position },
      topic: this.#settings.topic,
      partition: null,
      keySchema: null,
      key: null,
      valueSchema: STRING,
      value: line.text,
      timestamp,
      headers: NO_HEADERS,
    }
  }

  async #awaitChange(signal: AbortSignal): Promise<void> {
    if (this.#lag) this.#lag.waiting = true
    await (this.#stdin ?? this.#file!.watch).changed(signal)
    if (this.#lag) this.#lag.waiting = false
  }

  async #readStdin(stdin: StdinReader): Promise<'more' | 'nothing'> {
    const bytes = await stdin.read()
    if (bytes.length > 0) {
      this.#splitter.add(bytes)
      return 'more'
    }
    if (!stdin.ended) return 'nothing'
    return this.#takeRest() ? 'more' : 'nothing'
  }

  async #readFile(): Promise<'more' | 'nothing' | 'recovered'> {
    const { tail } = this.#file!
    const wasReported = this.#reported !== null
    try {
      if (!tail.isOpen) {
        await this.#open(tail)
        this.#reported = null
      }
      const next = await tail.next(this.#splitter.pending > 0)
      if (typeof next !== 'string') this.#splitter.add(next)
      else {
        this.#reported = null
        if (next !== 'nothing') await this.#startAgain(tail, next)
        else if (!wasReported) return 'nothing'
      }
      return wasReported && this.#reported === null ? 'recovered' : 'more'
    } catch (error) {
      const text = messageOf(error)
      if (this.#reported === text) return 'nothing'
      this.#reported = text
      throw error
    }
  }

  async #open(tail: TailedFile): Promise<void> {
    const position = this.#splitter.position
    const from = await tail.open(position)
    if (from !== position) {
      this.context.logger.warn(
        `${this.#settings.file} was truncated, or is not the file that was read up to byte ${position}. It is read from its beginning.`,
      )
    }
    this.#splitter = this.#splitterAt(from)
  }

  async #startAgain(tail: TailedFile, why: 'replaced' | 'cut'): Promise<void> {
    const { file } = this.#settings
    await tail.close()
    if (why === 'cut') {
      this.context.logger.info(`${file} was truncated`)
      // The file no longer contains the unfinished line, so its bytes are discarded.
      this.#splitter = this.#splitterAt(this.#splitter.position)
      return
    }
    this.context.logger.info(`${file} was replaced by another file, which is read from its beginning`)
    this.#takeRest()
    this.#splitter = this.#splitterAt(0)
  }

  /** Takes the unterminated last line of an input that has ended. Returns whether there is one. */
  #takeRest(): boolean {
    const rest = this.#splitter.takeRest()
    if (rest) this.#last = this.#record(rest, 0, Date.now())
    return rest !== null
  }

  /**
   * Returns a record that reports an overlong line. The runtime then fails the task, or continues
   * after the line (`errors.tolerance=all`).
   */
  #tooLong(): SourceRecord {
    const { file, 'max.line.bytes': limit } = this.#settings
    const { position } = this.#splitter
    const error = errors.create('MR_FILE_LINE_TOO_LONG', { file: file ?? 'standard input', position, limit })
    this.#splitter.skip()
    return { ...this.#record({ text: '', end: position }, position, Date.now()), value: null, unwritten: error }
  }

  /** Skips the overlong line. The offset advances past the line without a record. */
  #skip(): SourceRecord[] {
    if (!this.#splitter.skipLine()) return []
    const { position } = this.#splitter
    const line = this.#record({ text: '', end: position }, position, Date.now())
    return [{ ...line, value: null, unwritten: 'progress' }]
  }
}
