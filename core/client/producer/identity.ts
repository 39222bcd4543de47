import { errorFor } from '../../protocol/error-codes.ts'
import { InitProducerIdRequest, InitProducerIdResponse } from '../../protocol/messages/22-init-producer-id.ts'
import type { Cluster } from '../cluster/cluster.ts'
import { defineApi } from '../net/api.ts'
import type { ProducerIdentity } from './sequence-numbers.ts'

const InitProducerId = defineApi(InitProducerIdRequest, InitProducerIdResponse, { max: 5 })

const MAX_EPOCH = 32_767

/**
 * Stores the id and epoch of an idempotent producer. Requests the id and epoch when they are first
 * needed.
 */
export class IdentityKeeper {
  #current: ProducerIdentity | null = null
  #isRequesting = false
  readonly #cluster: Cluster
  readonly #onChange: (error: Error | null) => void

  /**
   * `onChange` is called after each request. Its argument is null if the cluster assigned an
   * identity; otherwise it is the error.
   */
  constructor(cluster: Cluster, onChange: (error: Error | null) => void) {
    this.#cluster = cluster
    this.#onChange = onChange
  }

  get current(): ProducerIdentity | null {
    return this.#current
  }

  /** Requests an identity, unless the producer already has one or a request is in progress. */
  need(): void {
    if (this.#current || this.#isRequesting || this.#cluster.signal.aborted) return
    this.#isRequesting = true
    this.#request().then(
      () => {
        this.#isRequesting = false
        this.#onChange(null)
      },
      (error: Error) => {
        this.#isRequesting = false
        if (!this.#cluster.signal.aborted) this.#onChange(error)
      },
    )
  }

  /**
   * Starts the next epoch. No request is needed, because a producer without transactions may
   * increment its epoch (as in Java).
   */
  bump(): void {
    const current = this.#current
    if (!current) return
    if (current.epoch >= MAX_EPOCH) this.drop()
    else this.#current = { producerId: current.producerId, epoch: current.epoch + 1 }
  }

  /** Discards the identity, so that `need` requests a new one. */
  drop(): void {
    this.#current = null
  }

  async #request(): Promise<void> {
    // The request has no time limit, because the batches that wait for the identity have their own
    // limits.
    this.#current = await this.#cluster.retry('InitProducerId', Number.POSITIVE_INFINITY, async signal => {
      const input = { transactionalId: null, transactionTimeoutMs: 2_147_483_647 }
      const answer = await this.#cluster.requestAny(InitProducerId, input, { signal })
      if (answer.errorCode !== 0) throw errorFor(answer.errorCode)
      return { producerId: answer.producerId, epoch: answer.producerEpoch }
    })
  }
}
