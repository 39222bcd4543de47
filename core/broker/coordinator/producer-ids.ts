import type { Controller, ProducerIdBlock } from '../quorum/controller-api.ts'

/**
 * Assigns unique producer ids. The ids come from blocks. The controller records each block in the
 * metadata log before its first id is used. If the broker dies, the unused ids of its block are
 * lost, and no id is assigned twice.
 */
export class ProducerIds {
  readonly #controller: Pick<Controller, 'allocateProducerIds'>
  #block: ProducerIdBlock = { first: 0, count: 0 }
  #used = 0
  #refill: Promise<void> | null = null

  constructor(controller: Pick<Controller, 'allocateProducerIds'>) {
    this.#controller = controller
  }

  /** Returns the next id. Rejects if the controller could not record a new block. */
  async next(): Promise<number> {
    while (this.#used >= this.#block.count) {
      this.#refill ??= this.#allocate()
      await this.#refill
    }
    return this.#block.first + this.#used++
  }

  async #allocate(): Promise<void> {
    try {
      this.#block = await this.#controller.allocateProducerIds()
      this.#used = 0
    } finally {
      this.#refill = null
    }
  }
}
