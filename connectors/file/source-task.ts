import { type FileHandle, open, stat } from 'node:fs/promises'
import {
  messageOf,
  type Props,
  parseConfig,
  primitive,
  type SourceRecord,
  SourceTask,
} from '../../core/connect/index.ts'
import { type SourceSettings, sourceConfig } from './config.ts'
import { errors } from './errors.ts'
import { FileWatch } from './file-watch.ts'
import { LineSplitter } from './line-splitter.ts'
import { StdinReader } from './stdin-reader.ts'
import { version } from './version.ts'

const STRING = primitive('string')
const READ_BYTES = 1 << 20

/** Where bytes come from: a file at a position, or standard input. */
interface ByteSource {
  /** The next bytes; empty when there are none at present. */
  read(max: number): Promise<Buffer>
  close(): Promise<void>
}

/** Reads a file's lines as they are appended. Position in bytes; woken by the file system, no polling. */
export class FileStreamSourceTask extends SourceTask {
  readonly version = version
  #settings!: SourceSettings
  #source: ByteSource | null = null
  #watch: FileWatch | null = null
  #splitter = new LineSplitter(0)
  #inode: bigint | null = null
  #saidAbsent = false
  #stdin: StdinReader | null = null

  override async start(props: Props): Promise<void> {
    this.#settings = parseConfig(sourceConfig, props)
    const { file } = this.#settings
    if (!file) {
      this.#stdin = new StdinReader(this.context.signal)
      this.#source = this.#stdin
      return
    }
    const last = await this.context.offsets.offset({ filename: file })
    const position = Number(last?.['position'] ?? 0)
    if (!Number.isSafeInteger(position) || position < 0) {
      throw errors.create('MR_FILE_OFFSET', { what: `the committed offset of ${file} is ${JSON.stringify(last)}` })
    }
    this.#splitter = new LineSplitter(position)
    this.#watch = new FileWatch(file, error => this.context.logger.warn(`watching ${file}: ${messageOf(error)}`))
  }

  override async poll(): Promise<SourceRecord[] | null> {
    const { signal } = this.context
    while (!signal.aborted) {
      const records = this.#take()
      if (records.length > 0) return records
      if (!(await this.#readMore())) await this.#wait()
    }
    return null
  }

  override async stop(): Promise<void> {
    await this.#watch?.close()
    await this.#source?.close()
    this.#source = null
  }

  #take(): SourceRecord[] {
    const { file, topic, 'batch.size': most } = this.#settings
    const timestamp = Date.now()
    const sourcePartition = file ? { filename: file } : null
    return this.#splitter.take(most).map(line => ({
      sourcePartition,
      sourceOffset: file ? { position: line.end } : null,
      topic,
      partition: null,
      keySchema: null,
      key: null,
      valueSchema: STRING,
      value: line.text,
      timestamp,
      headers: [],
    }))
  }

  /** Reads on; false when there is nothing more at present. */
  async #readMore(): Promise<boolean> {
    const { file, 'max.line.bytes': limit } = this.#settings
    if (this.#splitter.pending > limit) {
      throw errors.create('MR_FILE_LINE_TOO_LONG', {
        file: file ?? 'standard input',
        position: this.#splitter.position,
        limit,
      })
    }
    this.#source ??= await this.#open()
    if (!this.#source) return false
    const bytes = await this.#source.read(READ_BYTES)
    if (bytes.length > 0) {
      this.#splitter.add(bytes)
      return true
    }
    return file ? this.#wasReplaced(file) : false
  }

  async #wait(): Promise<void> {
    const { signal } = this.context
    if (this.#watch) await this.#watch.changed(signal)
    else await this.#stdin?.readable()
  }

  /**
   * Opens the file where it was left. A file that is shorter than that was written anew: read from its beginning. Throws, once,
   * when it is not there, so that the task's state says so; after that waits for it.
   */
  async #open(): Promise<ByteSource | null> {
    const file = this.#settings.file!
    let handle: FileHandle
    try {
      handle = await open(file, 'r')
    } catch (cause) {
      const absent = (cause as NodeJS.ErrnoException).code === 'ENOENT'
      if (absent && this.#saidAbsent) return null
      this.#saidAbsent = absent
      throw absent
        ? errors.create('MR_FILE_ABSENT', { file })
        : errors.create('MR_FILE_UNREADABLE', { file, cause: messageOf(cause) }, { cause })
    }
    this.#saidAbsent = false
    const { size, ino } = await handle.stat({ bigint: true })
    this.#inode = ino
    if (size < BigInt(this.#splitter.position)) {
      this.context.logger.warn(
        `${file} is ${size} bytes long, shorter than the position ${this.#splitter.position}: it is read from its beginning`,
      )
      this.#splitter = new LineSplitter(0)
    }
    let at = this.#splitter.position
    return {
      async read(max) {
        const buffer = Buffer.allocUnsafe(max)
        const { bytesRead } = await handle.read(buffer, 0, max, at)
        at += bytesRead
        return buffer.subarray(0, bytesRead)
      },
      close: () => handle.close(),
    }
  }

  /** At the end of what is open: whether the name stands for another file now, or for the same one cut short. */
  async #wasReplaced(file: string): Promise<boolean> {
    let now: { ino: bigint; size: bigint }
    try {
      now = await stat(file, { bigint: true })
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code !== 'ENOENT')
        throw errors.create('MR_FILE_UNREADABLE', { file, cause: messageOf(cause) }, { cause })
      // gone, perhaps renamed: what is open may still grow until another file takes the name
      if (this.#saidAbsent) return false
      this.#saidAbsent = true
      throw errors.create('MR_FILE_ABSENT', { file })
    }
    const replaced = now.ino !== this.#inode
    const cut = now.size < BigInt(this.#splitter.position)
    if (!replaced && !cut) return false
    this.context.logger.info(
      `${file} ${replaced ? 'is another file now' : 'was cut short'}: it is read from its beginning`,
    )
    if (this.#splitter.pending > 0)
      this.context.logger.warn(`${this.#splitter.pending} bytes without an end of line at its end are left out`)
    await this.#source?.close()
    this.#source = null
    this.#splitter = new LineSplitter(0)
    return true
  }
}
