import type { Catalog } from '../catalog/catalog.ts'
import type { PostgresOptions } from '../options.ts'
import { slotState } from '../server.ts'

/** The xmin of the slot, for events. It is read every `xmin.fetch.interval.ms`. */
export class SlotXmin {
  readonly #options: PostgresOptions['slot']
  readonly #catalog: Catalog
  #value: number | null = null
  #readAt = 0

  constructor(options: PostgresOptions['slot'], catalog: Catalog) {
    this.#options = options
    this.#catalog = catalog
  }

  /** The last known xmin; null before the first read, or if the slot does not have an xmin. */
  get value(): number | null {
    return this.#value
  }

  async refresh(): Promise<void> {
    const { xminMs, name } = this.#options
    if (xminMs === 0 || Date.now() < this.#readAt + xminMs) return
    this.#readAt = Date.now()
    this.#value = (await slotState(this.#catalog, name))?.xmin ?? null
  }
}
