import type { SourceOffset, SourcePartition } from '../../connect/record.ts'
import { asObject, canonicalJson, parseJson, renderJson } from './connect-json.ts'
import { TopicLog, type TopicLogOptions } from './topic-log.ts'

/** An offset's key and value as text: `["orders",{"file":"a"}]` and `{"position":3}`; a null value is a reset. */
export type OffsetText = readonly [key: string, value: string | null]

/** Source offsets of all connectors. */
export interface OffsetStore {
  start(): Promise<void>
  /** The values, as text, in the order of the keys. Keys are compared by content, whatever the order of their fields. */
  get(keys: readonly string[]): (string | null)[]
  /** Resolves when all of them are safe. */
  put(entries: readonly OffsetText[]): Promise<void>
  /** The offsets of a connector, by partition. */
  ofConnector(name: string): [SourcePartition | null, SourceOffset][]
  close(): Promise<void>
}

export function offsetKey(connector: string, partition: SourcePartition | null): string {
  return renderJson([connector, partition])
}

interface Entry {
  /** The key's bytes as they stand in the log: a rewrite must use the same, or compaction keeps both. */
  readonly key: string
  readonly value: string
  readonly connector: string | null
  readonly partition: SourcePartition | null
}

/** Offsets in memory, by the content of their keys. */
export class OffsetTable {
  readonly #entries = new Map<string, Entry>()

  apply(key: string, value: string | null): void {
    let id = key
    let connector: string | null = null
    let partition: SourcePartition | null = null
    try {
      const json = parseJson(key)
      id = canonicalJson(json)
      if (Array.isArray(json) && json.length === 2 && typeof json[0] === 'string') {
        connector = json[0]
        partition = asObject(json[1])
      }
    } catch {
      // Not written by Connect: kept under its own bytes, so that a rewritten file loses nothing.
    }
    if (value === null) this.#entries.delete(id)
    else this.#entries.set(id, { key, value, connector, partition })
  }

  get(key: string): string | null {
    return this.#find(key)?.value ?? null
  }

  /** The same entry under the key's bytes that are in use already, if there are any. */
  asStored([key, value]: OffsetText): OffsetText {
    return [this.#find(key)?.key ?? key, value]
  }

  entries(): OffsetText[] {
    return [...this.#entries.values()].map(e => [e.key, e.value])
  }

  ofConnector(name: string): [SourcePartition | null, SourceOffset][] {
    const found: [SourcePartition | null, SourceOffset][] = []
    for (const e of this.#entries.values()) {
      if (e.connector !== name) continue
      const offset = asObject(parseJson(e.value))
      if (offset) found.push([e.partition, offset])
    }
    return found
  }

  #find(key: string): Entry | undefined {
    try {
      return this.#entries.get(canonicalJson(parseJson(key)))
    } catch {
      return this.#entries.get(key)
    }
  }
}

/** The offsets topic: compacted, 25 partitions by default. */
export class TopicOffsetStore implements OffsetStore {
  readonly #table = new OffsetTable()
  readonly #log: TopicLog

  constructor(options: Omit<TopicLogOptions, 'onRecord'>) {
    this.#log = new TopicLog({
      ...options,
      onRecord: record => {
        if (record.key) this.#table.apply(record.key.toString(), record.value?.toString() ?? null)
      },
    })
  }

  start(): Promise<void> {
    return this.#log.start()
  }

  close(): Promise<void> {
    return this.#log.close()
  }

  /** Reads to the end of the topic first, so that what a task wrote by itself is seen. */
  refresh(): Promise<void> {
    return this.#log.readToEnd()
  }

  get(keys: readonly string[]): (string | null)[] {
    return keys.map(key => this.#table.get(key))
  }

  async put(entries: readonly OffsetText[]): Promise<void> {
    const stored = entries.map(entry => this.#table.asStored(entry))
    await this.#log.write(stored.map(([key, value]) => ({ key, value })))
  }

  ofConnector(name: string): [SourcePartition | null, SourceOffset][] {
    return this.#table.ofConnector(name)
  }
}
