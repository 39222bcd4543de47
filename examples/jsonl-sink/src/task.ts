import { join } from 'node:path'
import { DataError, messageOf, RetriableError, type SinkRecord, SinkTask, type TopicPartition } from 'millrace/connect'
import type { config, Settings } from './config.ts'
import { PartitionFile } from './partition-file.ts'

const keyOf = ({ topic, partition }: TopicPartition): string => `${topic}-${partition}`

/** Writes records as lines of JSON. The runtime commits offsets after `flush`. */
export class JsonlSinkTask extends SinkTask<typeof config> {
  #directory = ''
  readonly #files = new Map<string, PartitionFile>()

  override start(settings: Settings): void {
    this.#directory = settings.directory
  }

  override async open(partitions: readonly TopicPartition[]): Promise<void> {
    for (const partition of partitions) {
      const path = join(this.#directory, `${keyOf(partition)}.jsonl`)
      this.#files.set(keyOf(partition), await PartitionFile.open(path))
    }
  }

  override async put(records: SinkRecord[]): Promise<void> {
    const lines = new Map<string, { offset: number; key: unknown; value: unknown }[]>()
    for (const record of records) {
      if (record.value === undefined || typeof record.value === 'function')
        throw new DataError('the value cannot be written as JSON')
      const name = keyOf({ topic: record.originalTopic, partition: record.originalPartition })
      const list = lines.get(name) ?? []
      list.push({ offset: record.originalOffset, key: record.key, value: record.value })
      lines.set(name, list)
    }
    for (const [name, list] of lines) {
      try {
        await this.#files.get(name)!.append(list)
      } catch (error) {
        throw new RetriableError(`cannot write to ${this.#directory}: ${messageOf(error)}`, { cause: error })
      }
    }
  }

  override async flush(): Promise<void> {
    for (const file of this.#files.values()) await file.sync()
  }

  override async close(partitions: readonly TopicPartition[]): Promise<void> {
    for (const partition of partitions) {
      await this.#files.get(keyOf(partition))?.close()
      this.#files.delete(keyOf(partition))
    }
  }

  override async stop(): Promise<void> {
    for (const file of this.#files.values()) await file.close()
    this.#files.clear()
  }
}
