import type { Controller, ProducerIdBlock } from '../quorum/controller-api.ts'

/**
 * Gives out producer ids that nobody else ever gets: out of blocks that the controller has written down before the first id of
 * them is used, so that a broker that dies loses the rest of its block, and never gives an id twice.
 */
export class ProducerIds {
  readonly #controller: Pick<Controller, 'allocateProducerIds'>
  #block: ProducerIdBlock = { first: 0, count: 0 }
  #used = 0
  #refill: Promise<void> | null = null

  constructor(controller: Pick<Controller, 'allocateProducerIds'>) {
    this.#controller = controller
  }

  /** The next id. Rejects when the controller could not write down a new block. */
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
