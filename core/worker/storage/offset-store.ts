import type { SourceOffset, SourcePartition } from '../../connect/record.ts'
import { asObject, canonicalJson, parseJson, renderJson } from './connect-json.ts'
import { TopicLog, type TopicLogOptions } from './topic-log.ts'

/**
 * The key and value of an offset, for example `["orders",{"file":"a"}]` and `{"position":3}`. A
 * null value resets the offset.
 */
export type OffsetText = readonly [key: string, value: string | null]

/** Stores the source offsets of all connectors. */
export interface OffsetStore {
  start(): Promise<void>
  /** Returns the values in the order of the keys. The fields of a key may be in any order. */
  get(keys: readonly string[]): (string | null)[]
  /** Resolves when all entries have been stored. */
  put(entries: readonly OffsetText[]): Promise<void>
  /** Returns the offsets of a connector, by partition. */
  ofConnector(name: string): [SourcePartition | null, SourceOffset][]
  close(): Promise<void>
}

export function offsetKey(connector: string, partition: SourcePartition | null): string {
  return renderJson([connector, partition])
}

interface Entry {
  /**
   * The key's text in the topic. A new value must have exactly the same key, because compaction
   * would otherwise keep both records.
   */
  readonly key: string
  readonly value: string
  readonly connector: string | null
  readonly partition: SourcePartition | null
}

/** The offsets in memory. Keys are equal if their JSON is equal, in any order of fields. */
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
      // Connect did not write this key. The entry is kept, so that a rewritten offset file still
      // contains it.
    }
    if (value === null) this.#entries.delete(id)
    else this.#entries.set(id, { key, value, connector, partition })
  }

  get(key: string): string | null {
    return this.#find(key)?.value ?? null
  }

  /** Returns the entry with the key's text in the topic or file, if the key is already stored. */
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

/** Stores offsets in the offsets topic, which is compacted and has 25 partitions by default. */
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

  /**
   * Reads up to the current end of the topic, so that later calls of `get` return all records in
   * it.
   */
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
