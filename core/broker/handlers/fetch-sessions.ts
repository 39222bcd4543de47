import { ErrorCode } from '../../protocol/error-codes.ts'
import type { FetchRequest } from '../../protocol/messages/01-fetch.ts'
import type { Message } from '../../protocol/schema/declare.ts'
import { ZERO_UUID } from '../../protocol/uuid.ts'
import type { FetchedPartition, FetchTarget } from './fetch-partition.ts'

type Request = Message<typeof FetchRequest>

/** A partition in a session: the client's request and the state that the client was last sent. */
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
  /** In the order of service: a partition that returned data moves to the end. */
  readonly partitions: Map<string, Cached>
}

/** How one fetch uses its session: which partitions to read, and which of them to return. */
export interface FetchContext {
  readonly targets: readonly FetchTarget[]
  /** Selects the partitions to return. The session id is 0 if there is no session. */
  answer(read: readonly FetchedPartition[]): { sessionId: number; partitions: readonly FetchedPartition[] }
}

const INITIAL_EPOCH = 0
const FINAL_EPOCH = -1
const MAX_ID = 0x7fffffff
/** `min.incremental.fetch.session.eviction.ms`, which is fixed in Kafka. */
const EVICTION_MS = 120_000
/** The limit for the partitions of all sessions together. Each uses about 250 bytes. */
const MAX_PARTITIONS = 250_000
/**
 * A request that names more unreadable partitions than this gets no session, because it would be
 * sent the errors again each time anyway.
 */
const MAX_FAILING = 1000

const keyOf = (t: { topic: string; topicId: string; partition: number }) =>
  `${t.topicId === ZERO_UUID ? t.topic : t.topicId}:${t.partition}`

/** If a partition occurs twice, the last one applies, as in Kafka. */
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
 * Whether an incremental response must include a partition. Stores what the client knows
 * afterwards.
 */
function hasChanged(cached: Cached, read: FetchedPartition): boolean {
  const changed =
    read.size > 0 ||
    read.errorCode !== ErrorCode.NONE ||
    read.divergingEpoch !== undefined ||
    cached.highWatermark !== read.highWatermark ||
    cached.logStartOffset !== read.logStartOffset
  // An error is returned until it is resolved.
  cached.highWatermark = read.errorCode === ErrorCode.NONE ? read.highWatermark : -1
  cached.logStartOffset = read.logStartOffset
  return changed
}

/**
 * The fetch sessions of all clients (KIP-227). Within a session, a client names only what changes
 * and the broker returns only changes. There are at most `slots` sessions. A new session replaces
 * the least recently used one if that was unused for at least two minutes. The same applies to the
 * total number of partitions. A client that gets no session continues without one, and names all
 * its partitions each time.
 */
export class FetchSessions {
  readonly #slots: number
  readonly #maxPartitions: number
  readonly #now: () => number
  #partitions = 0
  /** The sessions in order of use, the least recently used first. */
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
   * Returns the context of a request, or an error code if its session does not exist or has another
   * epoch.
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
   * Returns null if the session would grow too large. The session is then removed, and its client
   * starts a new one.
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
      // Moved to the end of the queue, so that a busy partition does not starve the others.
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

  /** Whether `count` more partitions fit, if necessary after evicting old sessions. */
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
