import type { SourceOffset, SourcePartition } from '../../../connect/record.ts'
import { asObject, parseJson, renderJson } from '../../storage/connect-json.ts'
import type { OffsetStore } from '../source/offset-store.ts'
import type { Uplink } from './unit.ts'

/**
 * Returns the key under which Connect stores an offset, for example
 * `["orders",{"filename":"a.txt"}]`.
 */
export function offsetKey(connector: string, partition: SourcePartition): string {
  return renderJson([connector, partition])
}

function parseOffset(text: string | null | undefined): SourceOffset | null {
  return text === null || text === undefined ? null : asObject(parseJson(text))
}

/**
 * The offset store that a connector or task uses. The herder's thread stores the offsets, so every
 * call sends a message to that thread.
 */
export class HerderOffsetStore implements OffsetStore {
  readonly #connector: string
  readonly #unit: string
  readonly #uplink: Uplink

  constructor(connector: string, unit: string, uplink: Uplink) {
    this.#connector = connector
    this.#unit = unit
    this.#uplink = uplink
  }

  async get(partitions: readonly SourcePartition[]): Promise<(SourceOffset | null)[]> {
    const keys = partitions.map(p => offsetKey(this.#connector, p))
    const values = (await this.#uplink.call(this.#unit, { name: 'offsets-get', keys })) as (string | null)[]
    return values.map(parseOffset)
  }

  async put(entries: readonly (readonly [SourcePartition, SourceOffset | null])[]): Promise<void> {
    const rendered = entries.map(
      ([p, o]) => [offsetKey(this.#connector, p), o === null ? null : renderJson(o)] as const,
    )
    await this.#uplink.call(this.#unit, { name: 'offsets-put', entries: rendered })
  }

  async close(): Promise<void> {}
}
