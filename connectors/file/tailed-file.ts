import { constants } from 'node:fs'
import { type FileHandle, open, stat } from 'node:fs/promises'
import { messageOf } from 'millrace/connect'
import { errors } from './errors.ts'

const READ_BYTES = 1 << 20
const LF = 10
const CR = 13

/**
 * The result of a read: bytes, or one of three states. `nothing`: there are no new bytes yet.
 * `replaced`: the old file has been read completely, and its name now belongs to another file.
 * `cut`: the file was truncated. After `replaced` and `cut`, the caller closes and reopens the
 * file.
 */
export type Next = Buffer | 'nothing' | 'replaced' | 'cut'

/** A file that may grow, be truncated, be renamed or be deleted while it is read. */
export class TailedFile {
  readonly #file: string
  #handle: FileHandle | null = null
  #inode = 0n
  /** The position of the next read. */
  #at = 0
  #scratch: Buffer | null = null
  /**
   * The number of consecutive checks that found no file (`#gone`) or another file (`#replaced`)
   * at the path, while the open file had no more data.
   */
  #gone = 0
  #replaced = 0

  constructor(file: string) {
    this.#file = file
  }

  get isOpen(): boolean {
    return this.#handle !== null
  }

  /**
   * Returns the number of bytes of the open file that are not read yet. Returns null if the file is
   * not open.
   */
  async unread(): Promise<number | null> {
    const handle = this.#handle
    if (handle === null) return null
    const { size } = await handle.stat()
    return Math.max(0, size - this.#at)
  }

  /**
   * Opens the file to read from `position`, which is after a line end. If the file is shorter or
   * has no line end there, assumes that it is a different file and starts at its beginning. Returns
   * the position at which reading begins. Throws MR_FILE_ABSENT or MR_FILE_UNREADABLE.
   */
  async open(position: number): Promise<number> {
    try {
      // Without O_NONBLOCK, opening a pipe without a writer would block the thread.
      this.#handle = await open(this.#file, constants.O_RDONLY | constants.O_NONBLOCK)
      const status = await this.#handle.stat({ bigint: true })
      if (!status.isFile()) throw new Error(status.isDirectory() ? 'it is a folder' : 'it is not a regular file')
      this.#inode = status.ino
      this.#at = (await this.#isLineStart(this.#handle, position, status.size)) ? position : 0
    } catch (cause) {
      await this.close()
      throw this.#error(cause)
    }
    this.#gone = 0
    this.#replaced = 0
    return this.#at
  }

  async close(): Promise<void> {
    const handle = this.#handle
    this.#handle = null
    await handle?.close()
  }

  /**
   * Reads the next bytes. `unfinished` says that the last line has no line end yet, so the writer
   * may be in the middle of the line. Throws MR_FILE_ABSENT if the name no longer exists. The next
   * call then continues to read the open file. Throws MR_FILE_UNREADABLE after it has closed the
   * file.
   */
  async next(unfinished: boolean): Promise<Next> {
    const handle = this.#handle!
    const buffer = this.#scratch ?? Buffer.allocUnsafeSlow(READ_BYTES)
    let length: number
    try {
      length = (await handle.read(buffer, 0, buffer.length, this.#at)).bytesRead
    } catch (cause) {
      await this.close()
      throw this.#error(cause)
    }
    if (length === 0) {
      this.#scratch = buffer
      return this.#checkName(unfinished)
    }
    this.#at += length
    this.#replaced = 0
    // A short read is copied, so that it does not retain a whole buffer.
    this.#scratch = length < READ_BYTES / 4 ? buffer : null
    return this.#scratch ? Buffer.from(buffer.subarray(0, length)) : buffer.subarray(0, length)
  }

  async #checkName(unfinished: boolean): Promise<Next> {
    let now: { ino: bigint; size: bigint }
    try {
      now = await stat(this.#file, { bigint: true })
    } catch (cause) {
      // During a rotation, the name does not exist for a moment. Therefore the first check that
      // finds no file is not reported.
      if ((cause as NodeJS.ErrnoException).code === 'ENOENT' && this.#gone++ === 0) return 'nothing'
      throw this.#error(cause)
    }
    this.#gone = 0
    if (now.ino === this.#inode) {
      this.#replaced = 0
      return now.size < BigInt(this.#at) ? 'cut' : 'nothing'
    }
    // Read once more, because data may have been written just before the rename. Then allow one
    // more check, so that the writer can complete an unfinished line.
    this.#replaced++
    if (this.#replaced === 1) return this.next(unfinished)
    return unfinished && this.#replaced === 2 ? 'nothing' : 'replaced'
  }

  async #isLineStart(handle: FileHandle, position: number, size: bigint): Promise<boolean> {
    if (position === 0) return true
    if (size < BigInt(position)) return false
    const { bytesRead, buffer } = await handle.read(Buffer.alloc(1), 0, 1, position - 1)
    return bytesRead === 1 && (buffer[0] === LF || buffer[0] === CR)
  }

  #error(cause: unknown): Error {
    const file = this.#file
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return errors.create('MR_FILE_ABSENT', { file })
    return errors.create('MR_FILE_UNREADABLE', { file, cause: messageOf(cause) }, { cause })
  }
}
