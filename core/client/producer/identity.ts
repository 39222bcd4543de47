import { errorFor } from '../../protocol/error-codes.ts'
import { InitProducerIdRequest, InitProducerIdResponse } from '../../protocol/messages/22-init-producer-id.ts'
import type { Cluster } from '../cluster/cluster.ts'
import { defineApi } from '../net/api.ts'
import type { ProducerIdentity } from './sequences.ts'

const InitProducerId = defineApi(InitProducerIdRequest, InitProducerIdResponse, { max: 5 })

/** An idempotent producer's id and epoch: asked for when first needed, the epoch raised when a partition must start anew. */
export class IdentityKeeper {
  current: ProducerIdentity | null = null
  #asking = false
  readonly #cluster: Cluster
  readonly #onChange: (error: Error | null) => void

  /** `onChange` hears of every identity that was got, or why none can be had. */
  constructor(cluster: Cluster, onChange: (error: Error | null) => void) {
    this.#cluster = cluster
    this.#onChange = onChange
  }

  /** Asks for an identity unless there is one, or one is being asked for. */
  need(): void {
    if (this.current || this.#asking || this.#cluster.signal.aborted) return
    this.#asking = true
    this.#ask().then(
      () => {
        this.#asking = false
        this.#onChange(null)
      },
      (error: Error) => {
        this.#asking = false
        if (!this.#cluster.signal.aborted) this.#onChange(error)
      },
    )
  }

  /** The next epoch. For an idempotent producer without transactions the brokers take it as it comes (as in Java). */
  bump(): void {
    const { current } = this
    if (!current) return
    if (current.epoch >= 32767) this.drop()
    else this.current = { producerId: current.producerId, epoch: current.epoch + 1 }
  }

  /** Forgets the identity: a new one is asked for when next needed. */
  drop(): void {
    this.current = null
  }

  async #ask(): Promise<void> {
    // Without an end: batches that wait have their own time limit.
    this.current = await this.#cluster.retry('InitProducerId', Number.POSITIVE_INFINITY, async signal => {
      const input = { transactionalId: null, transactionTimeoutMs: 2_147_483_647 }
      const answer = await this.#cluster.requestAny(InitProducerId, input, { signal })
      if (answer.errorCode !== 0) throw errorFor(answer.errorCode)
      return { producerId: answer.producerId, epoch: answer.producerEpoch }
    })
  }
}
