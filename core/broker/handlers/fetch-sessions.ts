import { ErrorCode } from '../../protocol/error-codes.ts'
import type { FetchRequest } from '../../protocol/messages/01-fetch.ts'
import type { Message } from '../../protocol/schema/declare.ts'
import { ZERO_UUID } from '../../protocol/uuid.ts'
import type { FetchedPartition, FetchTarget } from './fetch-partition.ts'

type Request = Message<typeof FetchRequest>

/** A partition of a session: the client's request for it, and the offsets that the client knows. */
interface Cached {
  target: FetchTarget
  highWatermark: number
  logStartOffset: number
}

interface Session {
  readonly id: number
  readonly usesTopicIds: boolean
  epoch: number
  lastUsed: number
  /**
   * The partitions in the order in which they are read. A partition that returned data moves to the
   * end.
   */
  readonly partitions: Map<string, Cached>
}

/** The partitions that one fetch reads. `answer` chooses which of them are returned. */
export interface FetchContext {
  readonly targets: readonly FetchTarget[]
  /** Returns the session id and the partitions to return. The id is 0 if there is no session. */
  answer(read: readonly FetchedPartition[]): { sessionId: number; partitions: readonly FetchedPartition[] }
}

const INITIAL_EPOCH = 0
const FINAL_EPOCH = -1
const MAX_ID = 0x7fffffff
/** Kafka's fixed value of `min.incremental.fetch.session.eviction.ms`. */
const EVICTION_MS = 120_000
/** The maximum number of partitions in all sessions together. A partition uses about 250 bytes. */
const MAX_PARTITIONS = 250_000
/**
 * The maximum number of unreadable partitions in the first fetch of a session. If there are more,
 * the client gets no session, because each response would contain all the errors anyway.
 */
const MAX_FAILING = 1000

const keyOf = (t: { topic: string; topicId: string; partition: number }) =>
  `${t.topicId === ZERO_UUID ? t.topic : t.topicId}:${t.partition}`

/**
 * Returns the partitions of a request. If a partition occurs twice, its last occurrence applies, as
 * in Kafka.
 */
function targetsOf(request: Request): Map<string, FetchTarget> {
  const targets = new Map<string, FetchTarget>()
  for (const { topic, topicId, partitions } of request.topics) {
    for (const p of partitions) {
      targets.set(keyOf({ topic, topicId, partition: p.partition }), {
        topic,
        topicId,
        partition: p.partition,
        fetchOffset: p.fetchOffset,
        maxBytes: p.partitionMaxBytes,
        currentLeaderEpoch: p.currentLeaderEpoch,
        lastFetchedEpoch: p.lastFetchedEpoch,
      })
    }
  }
  return targets
}

/**
 * Whether an incremental response must include a partition. Stores the offsets that the client
 * knows after the response.
 */
function hasChanged(cached: Cached, read: FetchedPartition): boolean {
  const changed =
    read.size > 0 ||
    read.errorCode !== ErrorCode.NONE ||
    read.divergingEpoch !== undefined ||
    cached.highWatermark !== read.highWatermark ||
    cached.logStartOffset !== read.logStartOffset
  // -1 makes the first response after the error include the partition again.
  cached.highWatermark = read.errorCode === ErrorCode.NONE ? read.highWatermark : -1
  cached.logStartOffset = read.logStartOffset
  return changed
}

/**
 * The fetch sessions of all clients (KIP-227). Within a session, a client sends only the partitions
 * whose request changes, and the broker returns only partitions that have changed. There are at
 * most `slots` sessions, with at most `maxPartitions` partitions in total. A session that would
 * exceed these limits replaces the least recently used session, if that was unused for two minutes.
 * Otherwise the client gets no session, and sends all its partitions in each request.
 */
export class FetchSessions {
  readonly #slots: number
  readonly #maxPartitions: number
  readonly #now: () => number
  #partitions = 0
  /** The sessions, the least recently used first. */
  readonly #sessions = new Map<number, Session>()

  constructor(slots: number, now: () => number, maxPartitions = MAX_PARTITIONS) {
    this.#slots = slots
    this.#maxPartitions = maxPartitions
    this.#now = now
  }

  get size(): number {
    return this.#sessions.size
  }

  /** The number of partitions in all sessions together. */
  get partitions(): number {
    return this.#partitions
  }

  /**
   * Returns the context of a request. Returns an error code if the session does not exist or has
   * another epoch.
   */
  contextOf(request: Request, apiVersion: number): FetchContext | { readonly errorCode: number } {
    const { sessionId, sessionEpoch } = request
    if (sessionEpoch === INITIAL_EPOCH || sessionEpoch === FINAL_EPOCH) {
      if (sessionId !== 0) this.#remove(this.#sessions.get(sessionId))
      return sessionEpoch === FINAL_EPOCH ? sessionless(request) : this.#full(request, apiVersion)
    }
    const session = this.#sessions.get(sessionId)
    if (!session) return { errorCode: ErrorCode.FETCH_SESSION_ID_NOT_FOUND }
    if (session.epoch !== sessionEpoch) return { errorCode: ErrorCode.INVALID_FETCH_SESSION_EPOCH }
    if (session.usesTopicIds !== apiVersion >= 13) return { errorCode: ErrorCode.FETCH_SESSION_TOPIC_ID_ERROR }
    return this.#incremental(session, request) ?? { errorCode: ErrorCode.FETCH_SESSION_ID_NOT_FOUND }
  }

  #full(request: Request, apiVersion: number): FetchContext {
    const targets = targetsOf(request)
    return {
      targets: [...targets.values()],
      answer: read => {
        const failing = read.reduce((n, p) => (p.errorCode === ErrorCode.NONE ? n : n + 1), 0)
        const session = failing > MAX_FAILING ? null : this.#create(targets, apiVersion)
        if (session) for (const p of read) session.partitions.get(keyOf(p.target))!.highWatermark = p.highWatermark
        if (session) for (const p of read) session.partitions.get(keyOf(p.target))!.logStartOffset = p.logStartOffset
        return { sessionId: session?.id ?? 0, partitions: read }
      },
    }
  }

  /**
   * Applies the changes of a request to its session. Returns null if the session would become too
   * large. The session is then removed, and its client starts a new session.
   */
  #incremental(session: Session, request: Request): FetchContext | null {
    const before = session.partitions.size
    for (const { topic, topicId, partitions } of request.forgottenTopicsData) {
      for (const partition of partitions) session.partitions.delete(keyOf({ topic, topicId, partition }))
    }
    for (const [key, target] of targetsOf(request)) {
      const cached = session.partitions.get(key)
      if (cached) cached.target = target
      else session.partitions.set(key, { target, highWatermark: -1, logStartOffset: -1 })
    }
    this.#partitions += session.partitions.size - before
    this.#touch(session)
    if (session.partitions.size === 0) {
      this.#remove(session)
      return sessionless(request)
    }
    if (session.partitions.size > before && !this.#evictFor(0)) {
      this.#remove(session)
      return null
    }
    session.epoch = session.epoch >= MAX_ID ? 1 : session.epoch + 1
    return {
      targets: [...session.partitions.values()].map(c => c.target),
      answer: read => ({ sessionId: session.id, partitions: this.#changes(session, read) }),
    }
  }

  #changes(session: Session, read: readonly FetchedPartition[]): FetchedPartition[] {
    const changed: FetchedPartition[] = []
    for (const p of read) {
      const key = keyOf(p.target)
      const cached = session.partitions.get(key)
      if (!cached || !hasChanged(cached, p)) continue
      changed.push(p)
      if (p.size === 0) continue
      // Move the partition to the end, so that a busy partition does not starve the others.
      session.partitions.delete(key)
      session.partitions.set(key, cached)
    }
    return changed
  }

  #touch(session: Session): void {
    session.lastUsed = this.#now()
    this.#sessions.delete(session.id)
    this.#sessions.set(session.id, session)
  }

  #remove(session: Session | undefined): void {
    if (!session || !this.#sessions.delete(session.id)) return
    this.#partitions -= session.partitions.size
  }

  #create(targets: ReadonlyMap<string, FetchTarget>, apiVersion: number): Session | null {
    if (targets.size === 0 || targets.size > this.#maxPartitions) return null
    if (!this.#evictForSession() || !this.#evictFor(targets.size)) return null
    let id: number
    do id = 1 + Math.floor(Math.random() * MAX_ID)
    while (this.#sessions.has(id))
    const partitions = new Map<string, Cached>()
    for (const [key, target] of targets) partitions.set(key, { target, highWatermark: -1, logStartOffset: -1 })
    const session = { id, usesTopicIds: apiVersion >= 13, epoch: 1, lastUsed: this.#now(), partitions }
    this.#sessions.set(id, session)
    this.#partitions += partitions.size
    return session
  }

  #evictForSession(): boolean {
    return this.#sessions.size < this.#slots || this.#evictOldest()
  }

  /** Whether `count` more partitions fit. Removes old sessions if this is necessary. */
  #evictFor(count: number): boolean {
    while (this.#partitions + count > this.#maxPartitions) if (!this.#evictOldest()) return false
    return true
  }

  #evictOldest(): boolean {
    const [oldest] = this.#sessions.values()
    if (!oldest || this.#now() - oldest.lastUsed <= EVICTION_MS) return false
    this.#remove(oldest)
    return true
  }
}

function sessionless(request: Request): FetchContext {
  return { targets: [...targetsOf(request).values()], answer: read => ({ sessionId: 0, partitions: read }) }
}
