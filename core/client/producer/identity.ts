import { errorFor } from '../../protocol/error-codes.ts'
import { InitProducerIdRequest, InitProducerIdResponse } from '../../protocol/messages/22-init-producer-id.ts'
import type { Cluster } from '../cluster/cluster.ts'
import { defineApi } from '../net/api.ts'
import type { ProducerIdentity } from './sequence-numbers.ts'

const InitProducerId = defineApi(InitProducerIdRequest, InitProducerIdResponse, { max: 5 })

const MAX_EPOCH = 32_767

/**
 * Keeps the id and epoch of an idempotent producer. Requests them from the cluster when they are
 * first needed.
 */
export class IdentityKeeper {
  #current: ProducerIdentity | null = null
  #isRequesting = false
  readonly #cluster: Cluster
  readonly #onChange: (error: Error | null) => void

  /**
   * `onChange` receives null for every identity that the cluster assigns, or the error of a failed
   * request.
   */
  constructor(cluster: Cluster, onChange: (error: Error | null) => void) {
    this.#cluster = cluster
    this.#onChange = onChange
  }

  get current(): ProducerIdentity | null {
    return this.#current
  }

  /** Requests an identity, unless there is one or a request is in progress. */
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
   * Starts the next epoch. Brokers accept it without a request, because the producer has no
   * transactions (as in Java).
   */
  bump(): void {
    const current = this.#current
    if (!current) return
    if (current.epoch >= MAX_EPOCH) this.drop()
    else this.#current = { producerId: current.producerId, epoch: current.epoch + 1 }
  }

  /** Forgets the identity. `need` then requests a new one. */
  drop(): void {
    this.#current = null
  }

  async #request(): Promise<void> {
    // The request has no time limit: the waiting batches have their own.
    this.#current = await this.#cluster.retry('InitProducerId', Number.POSITIVE_INFINITY, async signal => {
      const input = { transactionalId: null, transactionTimeoutMs: 2_147_483_647 }
      const answer = await this.#cluster.requestAny(InitProducerId, input, { signal })
      if (answer.errorCode !== 0) throw errorFor(answer.errorCode)
      return { producerId: answer.producerId, epoch: answer.producerEpoch }
    })
  }
}
