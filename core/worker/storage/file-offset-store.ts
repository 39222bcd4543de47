import { constants } from 'node:fs'
import { open, readFile, rename, rm } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { messageOf } from '../../common/errors/error-table.ts'
import type { SourceOffset, SourcePartition } from '../../connect/record.ts'
import { errors } from '../errors.ts'
import { readHashMap, writeHashMap } from './java-hash-map.ts'
import { type OffsetStore, OffsetTable, type OffsetText } from './offset-store.ts'

/**
 * The offset file of standalone mode. It has the format of Connect's FileOffsetBackingStore, so
 * Connect and Millrace can read each other's files. The offsets are written to a temporary file,
 * which is synced and then renamed. After a crash, the file therefore contains either the old or
 * the new offsets.
 */
export class FileOffsetStore implements OffsetStore {
  readonly #path: string
  #table = new OffsetTable()
  #saving: Promise<void> = Promise.resolve()

  constructor(path: string) {
    this.#path = resolve(path)
  }

  /**
   * Reads the file. If the file is missing or empty, there are no offsets. Throws
   * MR_WORKER_OFFSETS_FILE for an invalid file.
   */
  async start(): Promise<void> {
    this.#table = new OffsetTable()
    let bytes: Buffer
    try {
      bytes = await readFile(this.#path)
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return
      throw this.#unreadable(cause)
    }
    if (bytes.length === 0) return
    try {
      for (const [key, value] of readHashMap(bytes)) {
        if (key && value) this.#table.apply(key.toString(), value.toString())
      }
    } catch (cause) {
      throw this.#unreadable(cause)
    }
  }

  async close(): Promise<void> {
    await this.#saving
  }

  get(keys: readonly string[]): (string | null)[] {
    return keys.map(key => this.#table.get(key))
  }

  async put(entries: readonly OffsetText[]): Promise<void> {
    for (const entry of entries) this.#table.apply(...this.#table.asStored(entry))
    const saved = this.#saving.then(() => this.#save())
    this.#saving = saved.catch(() => {})
    await saved
  }

  ofConnector(name: string): [SourcePartition | null, SourceOffset][] {
    return this.#table.ofConnector(name)
  }

  async #save(): Promise<void> {
    const rows = this.#table.entries().map(([key, value]) => [Buffer.from(key), Buffer.from(value ?? '')] as const)
    const temporary = `${this.#path}.${process.pid}.tmp`
    try {
      const file = await open(temporary, 'w', 0o644)
      try {
        await file.writeFile(writeHashMap(rows))
        await file.sync()
      } finally {
        await file.close()
      }
      await rename(temporary, this.#path)
      await syncFolder(dirname(this.#path))
    } catch (cause) {
      await rm(temporary, { force: true })
      throw errors.create('MR_WORKER_OFFSETS_FILE_WRITE', { path: this.#path, cause: messageOf(cause) }, { cause })
    }
  }

  #unreadable(cause: unknown): Error {
    return errors.create('MR_WORKER_OFFSETS_FILE', { path: this.#path, cause: messageOf(cause) }, { cause })
  }
}

/**
 * Syncs a folder, so that a rename in it survives a power failure. Does nothing on Windows, which
 * cannot sync folders.
 */
async function syncFolder(path: string): Promise<void> {
  if (process.platform === 'win32') return
  const folder = await open(path, constants.O_RDONLY)
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}
