import { type FileHandle, open, stat } from 'node:fs/promises'
import { messageOf, type Props, parseConfig, type SinkRecord, SinkTask } from '../../core/connect/index.ts'
import { sinkConfig } from './config.ts'
import { errors } from './errors.ts'
import { javaText } from './java-text.ts'
import { jsonText } from './json-text.ts'
import { completeLength } from './torn-line.ts'
import { version } from './version.ts'

/** Appends a line for each record. What `preCommit` accepts is on the disk. */
export class FileStreamSinkTask extends SinkTask {
  readonly version = version
  #file: string | null = null
  #text: (record: SinkRecord) => string = r => javaText(r.valueSchema, r.value)
  #json = false
  #handle: FileHandle | null = null
  #inode = 0n
  /** Bytes of whole lines: what lies behind is half a batch that could not be written. */
  #length = 0
  #unsynced = false

  override start(props: Props): void {
    const settings = parseConfig(sinkConfig, props)
    this.#file = settings.file
    this.#json = settings.format.toLowerCase() === 'json'
    if (this.#json) this.#text = r => jsonText(r.valueSchema, r.value)
  }

  override async put(records: SinkRecord[]): Promise<void> {
    if (records.length === 0) return
    let text = ''
    for (const record of records) text += `${this.#text(record)}\n`
    if (this.#file === null) {
      if (!process.stdout.write(text)) await new Promise<void>(done => process.stdout.once('drain', () => done()))
      return
    }
    const handle = await this.#current(this.#file)
    await this.#write(handle, this.#file, Buffer.from(text))
  }

  override async flush(): Promise<void> {
    if (!this.#handle || !this.#unsynced) return
    try {
      await this.#handle.datasync()
      this.#unsynced = false
    } catch (cause) {
      throw errors.create('MR_FILE_UNWRITABLE', { file: this.#file, cause: messageOf(cause) }, { cause })
    }
  }

  override async stop(): Promise<void> {
    await this.#handle?.close()
    this.#handle = null
  }

  async #write(handle: FileHandle, file: string, bytes: Buffer): Promise<void> {
    this.#unsynced = true
    try {
      for (let at = 0; at < bytes.length; ) {
        const { bytesWritten } = await handle.write(bytes, at, bytes.length - at, this.#length + at)
        at += bytesWritten
      }
      this.#length += bytes.length
    } catch (cause) {
      // the batch comes again whole: no half of it may stay
      await handle
        .truncate(this.#length)
        .catch(error => this.context.logger.warn(`${file} cannot be cut back: ${messageOf(error)}`))
      throw errors.create('MR_FILE_UNWRITABLE', { file, cause: messageOf(cause) }, { cause })
    }
  }

  /** The open file; opened anew when the name stands for another one, as after a rotation. */
  async #current(file: string): Promise<FileHandle> {
    if (this.#handle) {
      const now = await stat(file, { bigint: true }).catch(() => null)
      if (now?.ino === this.#inode) {
        // somebody else appended or cut it: go on at its end
        this.#length = Number(now.size)
        return this.#handle
      }
      await this.flush()
      await this.#handle.close()
      this.#handle = null
    }
    try {
      // not 'a': with O_APPEND a write ignores its position, and a half-written batch could not be written over
      const handle = await open(file, 'r+').catch(error =>
        error.code === 'ENOENT' ? open(file, 'w+') : Promise.reject(error),
      )
      const { ino, size } = await handle.stat({ bigint: true })
      this.#inode = ino
      this.#length = await completeLength(handle, Number(size), this.#json)
      if (this.#length < Number(size)) {
        this.context.logger.warn(
          `${file} ends in ${Number(size) - this.#length} bytes of a line that was not written whole; they are removed, the record comes again`,
        )
        await handle.truncate(this.#length)
      }
      this.#handle = handle
      return handle
    } catch (cause) {
      throw errors.create('MR_FILE_UNWRITABLE', { file, cause: messageOf(cause) }, { cause })
    }
  }
}
