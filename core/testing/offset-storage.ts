import type { SourceOffset, SourcePartition } from '../connect/record.ts'
import { asObject, parseJson, renderJson } from '../worker/storage/connect-json.ts'
import { offsetKey } from '../worker/task/host/herder-offset-store.ts'
import type { HerderCall } from '../worker/task/host/messages-out.ts'

/**
 * Stores the committed source offsets of a connector as JSON. To test a restart, pass the same
 * storage to two harnesses.
 */
export class OffsetStorage {
  readonly #texts = new Map<string, string>()
  readonly #connector: string
  /** Called after each commit. */
  onCommit: () => void = () => {}

  constructor(connector = 'test') {
    this.#connector = connector
  }

  /** Returns the committed offset of a source partition, or null. */
  offset(partition: SourcePartition): SourceOffset | null {
    const text = this.#texts.get(offsetKey(this.#connector, partition))
    return text === undefined ? null : asObject(parseJson(text))
  }

  /** Stores an offset, as the request `PATCH /connectors/{name}/offsets` does. */
  set(partition: SourcePartition, offset: SourceOffset): void {
    this.#texts.set(offsetKey(this.#connector, partition), renderJson(offset))
  }

  /** The number of source partitions with a committed offset. */
  get size(): number {
    return this.#texts.size
  }

  /** The committed offsets as JSON text, by key. */
  entries(): ReadonlyMap<string, string> {
    return this.#texts
  }

  clear(): void {
    this.#texts.clear()
  }

  /** Handles a task's request to read or commit offsets, as the herder does. */
  answer(call: HerderCall): (string | null)[] | null {
    if (call.name === 'offsets-get') return call.keys.map(key => this.#texts.get(key) ?? null)
    for (const [key, value] of call.entries) {
      if (value === null) this.#texts.delete(key)
      else this.#texts.set(key, value)
    }
    this.onCommit()
    return null
  }
}
