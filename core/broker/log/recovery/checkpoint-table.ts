import { join } from 'node:path'
import { replaceFile } from '../io/files.ts'
import { partitionKey } from './checkpoint-file.ts'

/**
 * The content of one checkpoint file. Only changed entries are formatted again, and the file is
 * only written if there are any.
 */
export class CheckpointTable {
  readonly #file: string
  /** The line of each partition. */
  readonly #lines = new Map<string, string>()
  #changed = true

  constructor(dir: string, name: string) {
    this.#file = join(dir, name)
  }

  /** Sets a partition's offset; null removes it from the file. */
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

  /** Writes the file atomically and durably if anything changed. */
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
