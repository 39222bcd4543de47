import { backoffMs } from '../../common/async/backoff.ts'
import { timerMs } from '../../common/async/timer.ts'
import { messageOf } from '../../common/errors/error-table.ts'
import { ErrorCode, errorFor, isRetriableCode } from '../../protocol/error-codes.ts'
import { FetchRequest, FetchResponse } from '../../protocol/messages/01-fetch.ts'
import type { Message, MessageInput } from '../../protocol/schema/declare.ts'
import { ZERO_UUID } from '../../protocol/uuid.ts'
import type { Cluster } from '../cluster/cluster.ts'
import { clientErrors } from '../errors.ts'
import { groupBy } from '../group-by.ts'
import { defineApi } from '../net/api.ts'
import type { Connection } from '../net/connection.ts'
import type { AssignedPartition } from './assigned-partition.ts'
import { Chunk, endOfWholeBatches } from './chunk.ts'
import { fetchBudget } from './fetch-budget.ts'
import { type FetchPlan, FetchSession, type FetchTarget } from './fetch-session.ts'
import type { ConsumerSettings } from './options.ts'

const Fetch = defineApi(FetchRequest, FetchResponse, { max: 17 })

/** The last version of Fetch that identifies topics by name. Later versions use topic ids. */
const LAST_VERSION_WITH_NAMES = 12

type FetchedPartition = Message<typeof FetchResponse>['responses'][number]['partitions'][number]

/**
 * A partition in a pending request, with its round and its fetch offset when the request was sent.
 */
interface Asked {
  readonly partition: AssignedPartition
  readonly round: number
  readonly offset: number
}

interface BrokerFetch {
  readonly session: FetchSession
  busy: boolean
  /** The maximum number of bytes in the pending response. */
  reserved: number
  /** The number of consecutive requests that the broker rejected. */
  rejections: number
}

export interface FetcherEvents {
  partitions(): Iterable<AssignedPartition>
  partition(topic: string, partition: number): AssignedPartition | undefined
  /** Called before a partition is fetched, because its leader may have changed. */
  noteLeader(partition: AssignedPartition): void
  /** Called when a partition's fetch offset is outside the log. */
  onOutOfRange(partition: AssignedPartition): void
  /** Called after records or an error arrived, because `poll` must handle them. */
  onChange(): void
}

/**
 * Fetches records before the user polls them. Sends at most one request to each broker at a time.
 * Limits the bytes that are buffered and requested for all partitions.
 */
export class Fetcher {
  readonly #cluster: Cluster
  readonly #settings: ConsumerSettings
  readonly #events: FetcherEvents
  readonly #brokers = new Map<number, BrokerFetch>()
  #retryTimer: NodeJS.Timeout | null = null
  #closed = false

  constructor(cluster: Cluster, settings: ConsumerSettings, events: FetcherEvents) {
    this.#cluster = cluster
    this.#settings = settings
    this.#events = events
    cluster.onUpdate(() => this.maintain())
  }

  /** Sends the fetches that are due. Call it after every change, because a call is cheap. */
  maintain(): void {
    if (this.#closed) return
    const now = performance.now()
    const byBroker = new Map<number, AssignedPartition[]>()
    let buffered = 0
    let soonest = Number.POSITIVE_INFINITY
    let leaderless = false
    for (const p of this.#events.partitions()) {
      buffered += p.bufferedBytes
      if (!this.#mayFetch(p)) continue
      if (p.notBefore > now) {
        soonest = Math.min(soonest, p.notBefore)
        continue
      }
      const broker = this.#brokerFor(p, now)
      if (broker < 0) leaderless = true
      else if (!byBroker.has(broker)) byBroker.set(broker, [p])
      else byBroker.get(broker)!.push(p)
    }
    if (leaderless) {
      this.#cluster.refreshSoon()
      soonest = Math.min(soonest, now + this.#settings.common.retryBackoffMs)
    }
    if (soonest !== Number.POSITIVE_INFINITY) this.#retryAt(soonest - now)
    const idle = [...byBroker].filter(([id]) => !this.#broker(id).busy)
    if (idle.length === 0) return
    const { fetchMaxBytes, maxPartitionFetchBytes } = this.#settings
    const least = Math.min(maxPartitionFetchBytes, fetchMaxBytes)
    let room = fetchMaxBytes - buffered
    for (const b of this.#brokers.values()) if (b.busy) room -= b.reserved
    if (room < least && buffered > 0) room += this.#dropPaused()
    const { brokers, bytes } = fetchBudget(room, least, idle.length, buffered)
    for (const [id, partitions] of idle.slice(0, brokers)) this.#start(id, partitions, bytes)
  }

  /** Closes the fetch sessions of the brokers that are connected. */
  async close(timeoutMs: number): Promise<void> {
    this.#closed = true
    if (this.#retryTimer) clearTimeout(this.#retryTimer)
    const ends: Promise<unknown>[] = []
    for (const [id, { session, busy }] of this.#brokers) {
      const connection = this.#cluster.openConnection(id, 'data')
      if (session.id === 0 || busy || !connection || timeoutMs <= 0) continue
      const input = { replicaId: -1, maxWaitMs: 0, minBytes: 0, maxBytes: 1, sessionId: session.id, sessionEpoch: -1 }
      ends.push(connection.request(Fetch, connection.version(Fetch), input, { timeoutMs }))
    }
    // Ignore failures, because brokers remove unused sessions after some time.
    await Promise.allSettled(ends)
  }

  #broker(id: number): BrokerFetch {
    let broker = this.#brokers.get(id)
    if (!broker)
      this.#brokers.set(id, (broker = { session: new FetchSession(), busy: false, reserved: 0, rejections: 0 }))
    return broker
  }

  #mayFetch(p: AssignedPartition): boolean {
    this.#events.noteLeader(p)
    return !p.paused && p.position !== null && !p.error && p.wantsMore
  }

  #brokerFor(p: AssignedPartition, now: number): number {
    const { metadata } = this.#cluster
    if (p.readReplica >= 0) {
      if (p.readReplicaUntil > now && metadata.brokers.has(p.readReplica)) return p.readReplica
      p.readReplica = -1
    }
    const leader = metadata.partition(p.topic, p.partition)?.leader ?? -1
    return metadata.brokers.has(leader) ? leader : -1
  }

  /**
   * Discards the buffered ranges of paused partitions, and returns the number of bytes freed. The
   * ranges are fetched again when their partitions are resumed.
   */
  #dropPaused(): number {
    let freed = 0
    for (const p of this.#events.partitions()) {
      if (!p.paused || !p.hasBuffered) continue
      freed += p.bufferedBytes
      p.dropBuffered()
    }
    return freed
  }

  #start(id: number, partitions: readonly AssignedPartition[], maxBytes: number): void {
    const broker = this.#broker(id)
    broker.busy = true
    broker.reserved = maxBytes
    const done = (again: boolean) => {
      broker.busy = false
      broker.reserved = 0
      if (this.#closed) return
      this.#events.onChange()
      if (again) this.maintain()
    }
    this.#fetch(id, broker, partitions, maxBytes).then(
      () => done(true),
      error => {
        broker.session.failed()
        if (this.#closed || this.#cluster.signal.aborted) return
        this.#onFailure(partitions, error)
        done(false)
      },
    )
  }

  async #fetch(
    id: number,
    broker: BrokerFetch,
    partitions: readonly AssignedPartition[],
    maxBytes: number,
  ): Promise<void> {
    const { fetchMaxWaitMs, fetchMinBytes, readCommitted, clientRack, common } = this.#settings
    const connection = await this.#cluster.connection(id, 'data')
    const targets = new Map<string, FetchTarget>()
    const asked = new Map<string, Asked>()
    for (const p of partitions) {
      const topic = this.#cluster.metadata.topic(p.topic)
      if (!topic || !this.#mayFetch(p)) continue
      const key = `${p.topic}:${p.partition}`
      asked.set(key, { partition: p, round: p.round, offset: p.fetchOffset })
      targets.set(key, {
        topic: p.topic,
        topicId: topic.id,
        partition: p.partition,
        fetchOffset: p.fetchOffset,
        leaderEpoch: topic.partitions[p.partition]?.leaderEpoch ?? -1,
        maxBytes: this.#settings.maxPartitionFetchBytes,
      })
    }
    if (targets.size === 0) return
    const version = versionFor(connection, targets)
    const plan = broker.session.plan(targets, version >= 13)
    const input = {
      replicaId: -1,
      maxWaitMs: fetchMaxWaitMs,
      minBytes: fetchMinBytes,
      maxBytes,
      isolationLevel: readCommitted ? 1 : 0,
      ...planned(plan, version >= 13),
      ...(version >= 11 ? { rackId: clientRack } : {}),
    }
    const response = await connection.request(Fetch, version, input, {
      timeoutMs: common.requestTimeoutMs + fetchMaxWaitMs,
    })
    if (this.#closed) return
    if (broker.session.answered(response.errorCode, response.sessionId)) {
      broker.rejections = 0
      this.#take(id, response, asked)
    } else {
      this.#onRejected(id, broker, response.errorCode, asked)
    }
  }

  /**
   * Handles a rejected request. If the broker has lost the session, starts a new session at once.
   * If that fails too, and after other errors, retries with a back-off.
   */
  #onRejected(id: number, broker: BrokerFetch, code: number, asked: ReadonlyMap<string, Asked>): void {
    const { logger, retryBackoffMs, retryBackoffMaxMs } = this.#settings.common
    broker.rejections++
    const error = errorFor(code)
    logger.debug(`Fetching from broker ${id} failed: ${error.detail}`)
    if (!isRetriableCode(code) && code !== ErrorCode.UNKNOWN_SERVER_ERROR) throw error
    const sessionIsGone =
      code === ErrorCode.FETCH_SESSION_ID_NOT_FOUND || code === ErrorCode.INVALID_FETCH_SESSION_EPOCH
    if (sessionIsGone && broker.rejections === 1) return
    if (!sessionIsGone && broker.rejections === 1) logger.warn(`Broker ${id} rejected a fetch; retrying`, error)
    const delay = backoffMs(broker.rejections - 1, { initialMs: retryBackoffMs, maxMs: retryBackoffMaxMs })
    const until = performance.now() + delay
    for (const a of asked.values()) a.partition.notBefore = until
    this.#cluster.refreshSoon()
  }

  #take(id: number, response: Message<typeof FetchResponse>, asked: ReadonlyMap<string, Asked>): void {
    for (const node of response.nodeEndpoints) {
      this.#cluster.metadata.addBroker({ id: node.nodeId, host: node.host, port: node.port, rack: node.rack })
    }
    for (const t of response.responses) {
      const topic = t.topicId !== ZERO_UUID ? (this.#cluster.metadata.nameOf(t.topicId) ?? t.topic) : t.topic
      for (const answer of t.partitions) {
        const a = asked.get(`${topic}:${answer.partitionIndex}`)
        // Ignore the response if the partition was revoked or its position changed in the meantime.
        if (!a || a.partition !== this.#events.partition(topic, answer.partitionIndex)) continue
        if (a.partition.round !== a.round || a.partition.fetchOffset !== a.offset) continue
        if (answer.errorCode === 0) this.#takeRecords(a.partition, answer)
        else this.#takeError(id, a.partition, answer)
      }
    }
  }

  #takeRecords(p: AssignedPartition, answer: FetchedPartition): void {
    p.highWatermark = answer.highWatermark
    if (answer.preferredReadReplica >= 0) {
      p.readReplica = answer.preferredReadReplica
      p.readReplicaUntil = performance.now() + this.#settings.common.metadataMaxAgeMs
    }
    const records = answer.records
    if (records === null || records.length === 0) return
    const end = endOfWholeBatches(records)
    if (end < 0) {
      const detail = `${p.name}: a batch at offset ${p.fetchOffset} does not fit into a fetch of ${records.length} bytes`
      p.error = errorFor(ErrorCode.CORRUPT_MESSAGE, detail)
      return
    }
    const { readCommitted, checkCrcs } = this.#settings
    const aborted = readCommitted ? (answer.abortedTransactions ?? []) : null
    p.buffer(new Chunk(p.topic, p.partition, records, aborted, checkCrcs), Math.max(end, p.fetchOffset))
  }

  #takeError(id: number, p: AssignedPartition, answer: FetchedPartition): void {
    const code = answer.errorCode
    const { logger, retryBackoffMs } = this.#settings.common
    const error = errorFor(
      code,
      `fetching ${p.name} at offset ${p.fetchOffset} from broker ${id}: ${errorFor(code).detail}`,
    )
    logger.debug(messageOf(error))
    if (code === ErrorCode.OFFSET_OUT_OF_RANGE) {
      if (p.readReplica >= 0) p.readReplica = -1
      else if (p.hasBuffered) p.notBefore = performance.now() + retryBackoffMs
      else this.#events.onOutOfRange(p)
      return
    }
    if (code === ErrorCode.TOPIC_AUTHORIZATION_FAILED || (code === ErrorCode.CORRUPT_MESSAGE && !p.hasBuffered)) {
      p.error = error
      return
    }
    p.readReplica = -1
    p.notBefore = performance.now() + retryBackoffMs
    const { leaderId, leaderEpoch } = answer.currentLeader
    const hasNewLeader =
      leaderId >= 0 && this.#cluster.metadata.updateLeader(p.topic, p.partition, leaderId, leaderEpoch)
    if (hasNewLeader) p.notBefore = 0
    else this.#cluster.refreshSoon()
  }

  #onFailure(partitions: readonly AssignedPartition[], error: unknown): void {
    const retriable = (error as { retriable?: boolean }).retriable === true
    this.#settings.common.logger.debug(`A fetch failed: ${messageOf(error)}`)
    for (const p of partitions) {
      if (retriable) {
        p.readReplica = -1
        p.notBefore = performance.now() + this.#settings.common.retryBackoffMs
      } else {
        p.error = error instanceof Error ? error : clientErrors.create('MR_CLIENT_STATE', { what: messageOf(error) })
      }
    }
    if (retriable) this.#cluster.refreshSoon()
    this.#retryAt(this.#settings.common.retryBackoffMs)
  }

  #retryAt(ms: number): void {
    if (this.#retryTimer || this.#closed) return
    this.#retryTimer = setTimeout(() => {
      this.#retryTimer = null
      this.maintain()
    }, timerMs(ms))
  }
}

/**
 * Returns the version for a Fetch request. Versions with topic ids require that the ids of all
 * topics are known.
 */
function versionFor(connection: Connection, targets: ReadonlyMap<string, FetchTarget>): number {
  const areIdsKnown = [...targets.values()].every(t => t.topicId !== ZERO_UUID)
  return connection.version(Fetch, areIdsKnown ? undefined : LAST_VERSION_WITH_NAMES)
}

function planned(plan: FetchPlan, byId: boolean): Partial<MessageInput<typeof FetchRequest>> {
  return {
    sessionId: plan.sessionId,
    sessionEpoch: plan.epoch,
    topics: groupBy(plan.send, t => t.topic).map(([topic, list]) => ({
      ...(byId ? { topicId: list[0]!.topicId } : { topic }),
      partitions: list.map(t => ({
        partition: t.partition,
        currentLeaderEpoch: t.leaderEpoch,
        fetchOffset: t.fetchOffset,
        partitionMaxBytes: t.maxBytes,
      })),
    })),
    forgottenTopicsData: groupBy(plan.forget, t => (byId ? t.topicId : t.topic)).map(([name, list]) => ({
      ...(byId ? { topicId: name } : { topic: name }),
      partitions: list.map(t => t.partition),
    })),
  }
}
