import { type FileHandle, open } from 'node:fs/promises'

const NEWLINE = 0x0a

/**
 * The file of one partition. Each line contains a record and its offset, so that a repeated record
 * is recognized.
 */
export class PartitionFile {
  readonly #handle: FileHandle
  #size: number
  /** The offset after the last record in the file. */
  #next: number

  private constructor(handle: FileHandle, size: number, next: number) {
    this.#handle = handle
    this.#size = size
    this.#next = next
  }

  /** Opens or creates the file, and removes a last line that was not written completely. */
  static async open(path: string): Promise<PartitionFile> {
    const handle = await open(path, 'a+')
    const content = await handle.readFile()
    const size = content.lastIndexOf(NEWLINE) + 1
    await handle.truncate(size)
    const lines = content.subarray(0, size).toString().trimEnd().split('\n')
    const last = lines.at(-1)
    const next = last ? (JSON.parse(last) as { offset: number }).offset + 1 : 0
    return new PartitionFile(handle, size, next)
  }

  /** Appends the records that the file does not contain yet. */
  async append(records: readonly { readonly offset: number }[]): Promise<void> {
    const fresh = records.filter(record => record.offset >= this.#next)
    if (fresh.length === 0) return
    const bytes = Buffer.from(fresh.map(record => `${JSON.stringify(record)}\n`).join(''))
    try {
      await this.#handle.appendFile(bytes)
    } catch (error) {
      // Some bytes may have been written. Remove them, because the batch will be retried.
      await this.#handle.truncate(this.#size)
      throw error
    }
    this.#size += bytes.length
    this.#next = fresh.at(-1)!.offset + 1
  }

  /** Waits until all data is on the disk. */
  async sync(): Promise<void> {
    await this.#handle.sync()
  }

  async close(): Promise<void> {
    await this.#handle.close()
  }
}
