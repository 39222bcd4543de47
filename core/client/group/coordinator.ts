import { orAbort } from '../../common/async/or-abort.ts'
import { ErrorCode, errorFor, kafkaCodeOf } from '../../protocol/error-codes.ts'
import { FindCoordinatorRequest, FindCoordinatorResponse } from '../../protocol/messages/10-find-coordinator.ts'
import type { Message, MessageDeclaration } from '../../protocol/schema/declare.ts'
import type { Cluster, InputFor, SendOptions } from '../cluster/cluster.ts'
import { isConnectionError } from '../errors.ts'
import { type Api, defineApi } from '../net/api.ts'

const FindCoordinator = defineApi(FindCoordinatorRequest, FindCoordinatorResponse)

/** Finds the coordinator of a group and sends requests to it. */
export class GroupCoordinator {
  readonly groupId: string
  readonly cluster: Cluster
  #nodeId: number | null = null
  #finding: Promise<number> | null = null

  constructor(cluster: Cluster, groupId: string) {
    this.cluster = cluster
    this.groupId = groupId
  }

  get known(): boolean {
    return this.#nodeId !== null
  }

  /** Forgets the coordinator. The next request finds the coordinator again. */
  forget(): void {
    this.#nodeId = null
  }

  /**
   * If the error means that the coordinator may have moved, forgets the coordinator and returns
   * true.
   */
  forgetAfter(error: unknown): boolean {
    const code = kafkaCodeOf(error)
    const moved =
      code === ErrorCode.NOT_COORDINATOR || code === ErrorCode.COORDINATOR_NOT_AVAILABLE || isConnectionError(error)
    if (moved) this.forget()
    return moved
  }

  /**
   * Sends a request to the coordinator. Finds the coordinator first if it is not known. The caller
   * checks the error codes of the response.
   */
  async request<Q extends MessageDeclaration, R extends MessageDeclaration>(
    api: Api<Q, R>,
    input: InputFor<Q>,
    options: SendOptions,
  ): Promise<Message<R>> {
    const nodeId = await orAbort(this.#find(), options.signal)
    try {
      return await this.cluster.request(nodeId, api, input, options)
    } catch (error) {
      this.forgetAfter(error)
      throw error
    }
  }

  #find(): Promise<number> {
    if (this.#nodeId !== null) return Promise.resolve(this.#nodeId)
    this.#finding ??= this.#ask().finally(() => {
      this.#finding = null
    })
    return this.#finding
  }

  async #ask(): Promise<number> {
    const key = this.groupId
    const response = await this.cluster.requestAny(FindCoordinator, version =>
      version >= 4 ? { keyType: 0, coordinatorKeys: [key] } : { keyType: 0, key },
    )
    const found = response.coordinators[0] ?? response
    if (found.errorCode !== 0) {
      throw errorFor(
        found.errorCode,
        `no coordinator of group ${key}: ${errorFor(found.errorCode, found.errorMessage ?? undefined).detail}`,
      )
    }
    this.cluster.metadata.addBroker({ id: found.nodeId, host: found.host, port: found.port, rack: null })
    this.#nodeId = found.nodeId
    return found.nodeId
  }
}
