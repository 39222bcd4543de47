import { join } from 'node:path'
import { replaceFile } from '../io/files.ts'
import { partitionKey } from './checkpoint-file.ts'

/**
 * The content of one checkpoint file. Keeps the formatted line of each partition, and writes the
 * file only if a line changed.
 */
export class CheckpointTable {
  readonly #file: string
  /** The line of each partition, by partition key. */
  readonly #lines = new Map<string, string>()
  #changed = true

  constructor(dir: string, name: string) {
    this.#file = join(dir, name)
  }

  /** Sets the offset of a partition. Null removes the partition from the file. */
  set(topic: string, partition: number, offset: number | null): void {
    const key = partitionKey(topic, partition)
    if (offset === null) {
      this.remove(key)
      return
    }
    const line = `${topic} ${partition} ${offset}\n`
    if (this.#lines.get(key) === line) return
    this.#lines.set(key, line)
    this.#changed = true
  }

  remove(key: string): void {
    if (this.#lines.delete(key)) this.#changed = true
  }

  /** Writes the file atomically if anything changed, and syncs it. */
  async write(): Promise<void> {
    if (!this.#changed) return
    this.#changed = false
    try {
      await replaceFile(this.#file, `0\n${this.#lines.size}\n${[...this.#lines.values()].join('')}`)
    } catch (error) {
      this.#changed = true
      throw error
    }
  }
}
