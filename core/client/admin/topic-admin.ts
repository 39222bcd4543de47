import { ErrorCode, errorFor, errorMessage, kafkaCodeOf } from '../../protocol/error-codes.ts'
import { CreateTopicsRequest, CreateTopicsResponse } from '../../protocol/messages/19-create-topics.ts'
import { DeleteTopicsRequest, DeleteTopicsResponse } from '../../protocol/messages/20-delete-topics.ts'
import { CreatePartitionsRequest, CreatePartitionsResponse } from '../../protocol/messages/37-create-partitions.ts'
import type { Message, MessageDeclaration } from '../../protocol/schema/declare.ts'
import type { Cluster, InputFor } from '../cluster/cluster.ts'
import { mayHaveArrived } from '../errors.ts'
import { type Api, defineApi } from '../net/api.ts'
import type { NewTopic } from '../types.ts'

const CreateTopics = defineApi(CreateTopicsRequest, CreateTopicsResponse)
const DeleteTopics = defineApi(DeleteTopicsRequest, DeleteTopicsResponse)
const CreatePartitions = defineApi(CreatePartitionsRequest, CreatePartitionsResponse)

interface Outcome {
  readonly name: string | null
  readonly errorCode: number
  readonly errorMessage?: string | null
}

interface Change {
  /** The name of the operation, for error messages. */
  readonly what: string
  readonly timeoutMs: number
  /** The broker's error code if the change was already made. */
  readonly madeBefore: number
  /** Retriable error codes after which this operation is not retried. */
  readonly final?: readonly number[]
}

/**
 * The topic operations of the admin client. Requests go to the controller, or to any broker if the
 * controller is not known.
 */
export class TopicAdmin {
  readonly #cluster: Cluster

  constructor(cluster: Cluster) {
    this.#cluster = cluster
  }

  async create(topics: readonly NewTopic[], validateOnly: boolean, timeoutMs: number): Promise<void> {
    const byName = new Map(topics.map(t => [t.name, t]))
    const madeBefore = validateOnly ? ErrorCode.NONE : ErrorCode.TOPIC_ALREADY_EXISTS
    const change = { what: 'creating topics', timeoutMs, madeBefore }
    await this.#change(change, [...byName.keys()], async (names, signal) => {
      const input = {
        topics: names.map(name => {
          const t = byName.get(name)!
          return {
            name,
            numPartitions: t.partitions ?? -1,
            replicationFactor: t.replicationFactor ?? -1,
            configs: Object.entries(t.configs ?? {}).map(([key, value]) => ({ name: key, value })),
          }
        }),
        timeoutMs: this.#brokersTime(timeoutMs),
        validateOnly,
      }
      return (await this.#toController(CreateTopics, input, signal)).topics
    })
  }

  async delete(names: readonly string[], timeoutMs: number): Promise<void> {
    const gone = ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
    const change = { what: 'deleting topics', timeoutMs, madeBefore: gone, final: [gone] }
    await this.#change(change, names, async (open, signal) => {
      const time = { timeoutMs: this.#brokersTime(timeoutMs) }
      const input = (version: number) =>
        version >= 6 ? { topics: open.map(name => ({ name })), ...time } : { topicNames: open, ...time }
      return (await this.#toController(DeleteTopics, input, signal)).responses
    })
  }

  async createPartitions(counts: Readonly<Record<string, number>>, timeoutMs: number): Promise<void> {
    const change = { what: 'creating partitions', timeoutMs, madeBefore: ErrorCode.INVALID_PARTITIONS }
    await this.#change(change, Object.keys(counts), async (names, signal) => {
      const topics = names.map(name => ({ name, count: counts[name]!, assignments: null }))
      const input = { topics, timeoutMs: this.#brokersTime(timeoutMs), validateOnly: false }
      return (await this.#toController(CreatePartitions, input, signal)).results
    })
  }

  /**
   * Repeats a change until it is made for all topics. Each attempt contains only the remaining
   * topics. After an attempt whose response was lost, the error `madeBefore` counts as success.
   */
  async #change(
    change: Change,
    names: readonly string[],
    attempt: (names: readonly string[], signal: AbortSignal) => Promise<readonly Outcome[]>,
  ): Promise<void> {
    const open = new Set(names)
    let unsure = false
    await this.#cluster.retry(change.what, change.timeoutMs, async signal => {
      let outcomes: readonly Outcome[]
      try {
        outcomes = await attempt([...open], signal)
      } catch (error) {
        unsure ||= mayHaveArrived(error)
        throw error
      }
      const failed = outcomes.filter(o => o.errorCode !== 0 && !(unsure && o.errorCode === change.madeBefore))
      for (const o of outcomes) if (!failed.includes(o)) open.delete(o.name ?? '')
      const error = worstOf(failed, change.final ?? [])
      if (!error) return
      unsure ||= failed.some(o => o.errorCode === ErrorCode.REQUEST_TIMED_OUT)
      if (kafkaCodeOf(error) === ErrorCode.NOT_CONTROLLER) this.#cluster.refreshSoon()
      throw error
    })
  }

  async #toController<Q extends MessageDeclaration, R extends MessageDeclaration>(
    api: Api<Q, R>,
    input: InputFor<Q>,
    signal: AbortSignal,
  ): Promise<Message<R>> {
    if (this.#cluster.metadata.version === 0) await this.#cluster.refresh(signal)
    const { controllerId, brokers } = this.#cluster.metadata
    if (!brokers.has(controllerId)) return this.#cluster.requestAny(api, input, { signal })
    try {
      return await this.#cluster.request(controllerId, api, input, { signal })
    } catch (error) {
      this.#cluster.refreshSoon()
      throw error
    }
  }

  /**
   * Returns the time limit for the broker, in milliseconds. The limit does not exceed the timeout
   * of the request, so that the response can arrive in time.
   */
  #brokersTime(timeoutMs: number): number {
    return Math.min(timeoutMs, this.#cluster.options.requestTimeoutMs)
  }
}

/**
 * Returns the first error that is not retriable. If all errors are retriable, returns the first
 * error.
 */
function worstOf(failed: readonly Outcome[], final: readonly number[]): Error | undefined {
  const errors = failed.map(o => {
    const error = errorFor(o.errorCode, `topic ${o.name}: ${o.errorMessage ?? errorMessage(o.errorCode)}`)
    return final.includes(o.errorCode) ? Object.assign(error, { retriable: false }) : error
  })
  return errors.find(e => !e.retriable) ?? errors[0]
}
