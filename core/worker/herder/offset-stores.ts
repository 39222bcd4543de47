import type { Props } from '../../connect/props.ts'
import type { SourceOffset, SourcePartition } from '../../connect/record.ts'
import { canonicalJson, renderJson } from '../storage/connect-json.ts'
import { type OffsetStore, type OffsetText, offsetKey } from '../storage/offset-store.ts'

/**
 * The worker's offset store, and the separate stores of the connectors that set
 * `offsets.storage.topic`. As in Connect, the offsets of such a connector are written to both
 * stores. When offsets are read, the connector's separate store takes precedence.
 */
export class OffsetStores {
  readonly #main: OffsetStore
  readonly #open: ((topic: string, connector: Props) => OffsetStore) | null
  readonly #own = new Map<string, Promise<OffsetStore>>()
  readonly #ready = new Map<string, OffsetStore>()

  /**
   * `open` creates the offset store for an `offsets.storage.topic`. In standalone mode, this key
   * has no effect, and `open` is null.
   */
  constructor(main: OffsetStore, open: ((topic: string, connector: Props) => OffsetStore) | null) {
    this.#main = main
    this.#open = open
  }

  start(): Promise<void> {
    return this.#main.start()
  }

  async close(): Promise<void> {
    await this.#main.close()
    for (const store of this.#ready.values()) await store.close()
  }

  /** Returns the offsets as text, in the order of the keys. */
  async get(connector: Props, keys: readonly string[]): Promise<(string | null)[]> {
    const main = this.#main.get(keys)
    const own = await this.#ownOf(connector)
    return own ? own.get(keys).map((value, i) => value ?? main[i] ?? null) : main
  }

  async putText(connector: Props, entries: readonly OffsetText[]): Promise<void> {
    const own = await this.#ownOf(connector)
    if (own) await own.put(entries)
    await this.#main.put(entries)
  }

  put(
    connector: Props,
    pairs: readonly (readonly [SourcePartition | null, SourceOffset | null])[],
    name: string,
  ): Promise<void> {
    const entries = pairs.map(
      ([partition, offset]): OffsetText => [offsetKey(name, partition), offset === null ? null : renderJson(offset)],
    )
    return this.putText(connector, entries)
  }

  /** Returns the offsets of a connector, by partition. */
  async ofConnector(name: string, connector: Props): Promise<[SourcePartition | null, SourceOffset][]> {
    const own = await this.#ownOf(connector)
    const first = own?.ofConnector(name) ?? []
    const known = new Set(first.map(([partition]) => canonicalJson(partition)))
    return [...first, ...this.#main.ofConnector(name).filter(([partition]) => !known.has(canonicalJson(partition)))]
  }

  #topicOf(connector: Props): string | null {
    return this.#open ? connector['offsets.storage.topic']?.trim() || null : null
  }

  #ownOf(connector: Props): Promise<OffsetStore> | null {
    const topic = this.#topicOf(connector)
    if (topic === null || !this.#open) return null
    let store = this.#own.get(topic)
    if (!store) {
      const opened = this.#open(topic, connector)
      store = opened.start().then(() => {
        this.#ready.set(topic, opened)
        return opened
      })
      this.#own.set(topic, store)
      store.catch(() => this.#own.delete(topic))
    }
    return store
  }
}
