import { type FileHandle, open, stat } from 'node:fs/promises'
import { type Logger, messageOf } from 'millrace/connect'
import { errors } from './errors.ts'
import { mendLastLine } from './torn-line.ts'

/** A file that whole batches of lines are appended to: all of a batch or, after an error, none of it. */
export class AppendedFile {
  readonly #file: string
  readonly #json: boolean
  readonly #logger: Logger
  #handle: FileHandle | null = null
  #inode = 0n
  /** Where the file is to be cut first: behind it lies a part of a batch, which could not be removed. */
  #cutTo: number | null = null
  #unsynced = false
  /** Once a sync has failed, the system has forgotten what it could not write: the next one would succeed all the same. */
  #lost: Error | null = null

  /** `json`: a last line that is a whole JSON document and only lacks its end is kept. */
  constructor(file: string, json: boolean, logger: Logger) {
    this.#file = file
    this.#json = json
    this.#logger = logger
  }

  /** Appends to the file that has the name now. Throws MR_FILE_UNWRITABLE: nothing of `lines` stays. */
  async append(lines: Buffer): Promise<void> {
    try {
      const handle = await this.#current()
      const { size } = await handle.stat()
      this.#unsynced = true
      let written = 0
      try {
        // O_APPEND: what others append at the same time is not written over
        while (written < lines.length) written += (await handle.write(lines, written)).bytesWritten
      } catch (error) {
        if (written > 0) await this.#takeBack(handle, size, written)
        throw error
      }
    } catch (cause) {
      throw errors.create('MR_FILE_UNWRITABLE', { file: this.#file, cause: messageOf(cause) }, { cause })
    }
  }

  /** What was appended is on the disk when it resolves. Throws MR_FILE_SYNC, from then on always. */
  async sync(): Promise<void> {
    if (this.#handle && this.#unsynced) {
      try {
        await this.#handle.datasync()
        this.#unsynced = false
      } catch (cause) {
        // pipes and devices have nothing to sync
        if ((cause as NodeJS.ErrnoException).code === 'EINVAL') return
        this.#lost ??= errors.create('MR_FILE_SYNC', { file: this.#file, cause: messageOf(cause) }, { cause })
      }
    }
    if (this.#lost) throw this.#lost
  }

  async close(): Promise<void> {
    const handle = this.#handle
    this.#handle = null
    await handle?.close()
  }

  /** Cuts a part of a batch off again, now or, when that fails too, before the next one. */
  async #takeBack(handle: FileHandle, size: number, written: number): Promise<void> {
    try {
      const now = await handle.stat()
      if (!now.isFile()) return
      if (now.size !== size + written) {
        this.#logger.warn(`${this.#file} is written by others too: a part of a batch stays in it`)
        return
      }
      this.#cutTo = size
      await handle.truncate(size)
      this.#cutTo = null
    } catch (error) {
      this.#logger.warn(`${this.#file} cannot be cut back yet: ${messageOf(error)}`)
    }
  }

  /** The open file; opened anew when the name stands for another one, as after a rotation. */
  async #current(): Promise<FileHandle> {
    if (this.#handle) {
      if (this.#cutTo !== null) {
        await this.#handle.truncate(this.#cutTo)
        this.#cutTo = null
      }
      if ((await this.#inodeOfName()) === this.#inode) return this.#handle
      // a failure is kept for the next commit
      await this.sync().catch(error => this.#logger.error(messageOf(error)))
      await this.close()
    }
    const handle = await open(this.#file, 'a+')
    try {
      const { ino, size } = await handle.stat({ bigint: true })
      await this.#mend(handle, Number(size))
      this.#inode = ino
      this.#handle = handle
      return handle
    } catch (error) {
      await handle.close()
      throw error
    }
  }

  async #inodeOfName(): Promise<bigint | null> {
    try {
      return (await stat(this.#file, { bigint: true })).ino
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
      throw error
    }
  }

  async #mend(handle: FileHandle, size: number): Promise<void> {
    const aside = `${this.#file}.torn`
    const removed = await mendLastLine(handle, size, aside, this.#json)
    if (removed === 0) return
    this.#logger.warn(
      `${this.#file} ended in ${removed} bytes of a line that was not written whole; they are in ${aside} now, the record comes again`,
    )
  }
}
