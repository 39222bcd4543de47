import { type FileHandle, open, stat } from 'node:fs/promises'
import { type Logger, messageOf } from 'millrace/connect'
import { errors } from './errors.ts'
import { repairLastLine } from './incomplete-line.ts'

/**
 * A file to which batches of lines are appended. If a batch fails, the part of it that was written
 * is removed.
 */
export class AppendedFile {
  readonly #file: string
  readonly #json: boolean
  readonly #logger: Logger
  #handle: FileHandle | null = null
  #inode = 0n
  /**
   * The size to which the file must be truncated before the next write, to remove the written part
   * of a failed batch. Null if there is no such part.
   */
  #cutTo: number | null = null
  #unsynced = false
  /**
   * The error of a failed sync. It is kept, because the operating system drops the pages that it
   * could not write, and the next sync would then wrongly succeed.
   */
  #lost: Error | null = null

  /** With `json`, a last line without a line end is kept if it is a complete JSON document. */
  constructor(file: string, json: boolean, logger: Logger) {
    this.#file = file
    this.#json = json
    this.#logger = logger
  }

  /**
   * Appends to the file that is now at the path, even after a rotation. On failure, throws
   * MR_FILE_UNWRITABLE and removes the part of `lines` that was already written: immediately or, if
   * that fails, before the next append. If other programs write to the file, the part remains.
   */
  async append(lines: Buffer): Promise<void> {
    try {
      const handle = await this.#current()
      const { size } = await handle.stat()
      this.#unsynced = true
      let written = 0
      try {
        // The file is open with O_APPEND, so this does not overwrite data that other processes
        // append at the same time.
        while (written < lines.length) written += (await handle.write(lines, written)).bytesWritten
      } catch (error) {
        if (written > 0) await this.#removePart(handle, size, written)
        throw error
      }
    } catch (cause) {
      throw errors.create('MR_FILE_UNWRITABLE', { file: this.#file, cause: messageOf(cause) }, { cause })
    }
  }

  /**
   * Syncs all appended lines to the disk. Throws MR_FILE_SYNC, and then throws the same error at
   * every later call.
   */
  async sync(): Promise<void> {
    if (this.#handle && this.#unsynced) {
      try {
        await this.#handle.datasync()
        this.#unsynced = false
      } catch (cause) {
        // Pipes and devices have no data to sync.
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

  /** Removes the written part of a failed batch: now or, if that fails, before the next batch. */
  async #removePart(handle: FileHandle, size: number, written: number): Promise<void> {
    try {
      const now = await handle.stat()
      if (!now.isFile()) return
      if (now.size !== size + written) {
        this.#logger.warn(`other programs also write to ${this.#file}, so a part of a failed batch remains in it`)
        return
      }
      this.#cutTo = size
      await handle.truncate(size)
      this.#cutTo = null
    } catch (error) {
      this.#logger.warn(`${this.#file} cannot be truncated yet: ${messageOf(error)}`)
    }
  }

  /**
   * Returns the open file. Reopens the file if its name now belongs to another file, for example
   * after a rotation.
   */
  async #current(): Promise<FileHandle> {
    if (this.#handle) {
      if (this.#cutTo !== null) {
        await this.#handle.truncate(this.#cutTo)
        this.#cutTo = null
      }
      if ((await this.#inodeOfName()) === this.#inode) return this.#handle
      // If this sync fails, the error is kept for the next commit.
      await this.sync().catch(error => this.#logger.error(messageOf(error)))
      await this.close()
    }
    const handle = await open(this.#file, 'a+')
    try {
      const { ino, size } = await handle.stat({ bigint: true })
      await this.#repair(handle, Number(size))
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

  async #repair(handle: FileHandle, size: number): Promise<void> {
    const aside = `${this.#file}.torn`
    const removed = await repairLastLine(handle, size, aside, this.#json)
    if (removed === 0) return
    this.#logger.warn(
      `${this.#file} ended with ${removed} bytes of an incomplete line. They were moved to ${aside}; the record is written again.`,
    )
  }
}
