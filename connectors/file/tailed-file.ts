import { constants } from 'node:fs'
import { type FileHandle, open, stat } from 'node:fs/promises'
import { messageOf } from 'millrace/connect'
import { errors } from './errors.ts'

const READ_BYTES = 1 << 20
const LF = 10
const CR = 13

/**
 * What came next: bytes; `nothing` at present; the name stands for another file now (`replaced`, after the last byte of the former one);
 * the file was `cut` short. After the last two it is to be closed and opened again.
 */
export type Next = Buffer | 'nothing' | 'replaced' | 'cut'

/** A file that grows, is cut short, renamed or deleted while it is read. */
export class TailedFile {
  readonly #file: string
  #handle: FileHandle | null = null
  #inode = 0n
  /** Where the next read begins. */
  #at = 0
  #scratch: Buffer | null = null
  /** Looks in a row that found the name gone, or with another file, and nothing more to read in the open one. */
  #gone = 0
  #replaced = 0

  constructor(file: string) {
    this.#file = file
  }

  get isOpen(): boolean {
    return this.#handle !== null
  }

  /** Bytes of the open file that were not read yet; null while it is not open. */
  async unread(): Promise<number | null> {
    const handle = this.#handle
    if (handle === null) return null
    const { size } = await handle.stat()
    return Math.max(0, size - this.#at)
  }

  /**
   * Opens the file to read on from `position`, which is behind an end of line. Where the file cannot be the one that was read up to there
   * (it is shorter, or has no end of line there), it is read from its beginning. Returns where reading begins. Throws MR_FILE_ABSENT,
   * MR_FILE_UNREADABLE.
   */
  async open(position: number): Promise<number> {
    try {
      // a pipe without a writer would hold up the thread otherwise
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
   * Reads on. `unfinished`: the last line read has no end yet, so whoever writes may be in the middle of it. Throws MR_FILE_ABSENT when the
   * name is gone (what is open is read on when called again), MR_FILE_UNREADABLE (it is closed then).
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
      return this.#look(unfinished)
    }
    this.#at += length
    this.#replaced = 0
    // little is copied, so that few bytes do not hold a whole buffer
    this.#scratch = length < READ_BYTES / 4 ? buffer : null
    return this.#scratch ? Buffer.from(buffer.subarray(0, length)) : buffer.subarray(0, length)
  }

  async #look(unfinished: boolean): Promise<Next> {
    let now: { ino: bigint; size: bigint }
    try {
      now = await stat(this.#file, { bigint: true })
    } catch (cause) {
      // a rotation leaves no file under the name for a moment, which is nothing to tell
      if ((cause as NodeJS.ErrnoException).code === 'ENOENT' && this.#gone++ === 0) return 'nothing'
      throw this.#error(cause)
    }
    this.#gone = 0
    if (now.ino === this.#inode) {
      this.#replaced = 0
      return now.size < BigInt(this.#at) ? 'cut' : 'nothing'
    }
    // More may have been written between the last read and the renaming: one more read; and some time to finish a line.
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
