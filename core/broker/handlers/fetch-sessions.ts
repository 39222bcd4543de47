import { ErrorCode } from '../../protocol/error-codes.ts'
import type { FetchRequest } from '../../protocol/messages/01-fetch.ts'
import type { Message } from '../../protocol/schema/declare.ts'
import { ZERO_UUID } from '../../protocol/uuid.ts'
import type { FetchedPartition, FetchTarget } from './fetch-partition.ts'

type Request = Message<typeof FetchRequest>

/** A partition in a session: what is asked, and what the client was last told. */
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
  /** In the order of service: who got data goes to the end. */
  readonly partitions: Map<string, Cached>
}

/** What one fetch has to do with sessions: what to read, and what of it to tell. */
export interface FetchContext {
  readonly targets: readonly FetchTarget[]
  /** Of the partitions read, those to answer; and the session's id for the client, 0 for none. */
  answer(read: readonly FetchedPartition[]): { sessionId: number; partitions: readonly FetchedPartition[] }
}

const INITIAL_EPOCH = 0
const FINAL_EPOCH = -1
const MAX_ID = 0x7fffffff
/** `min.incremental.fetch.session.eviction.ms`, which is fixed in Kafka. */
const EVICTION_MS = 120_000
/** What all sessions together may remember: some 250 bytes for each partition. */
const MAX_PARTITIONS = 250_000
/** Who names more partitions than this that cannot be read gets no session: it would be told the errors again each time anyway. */
const MAX_FAILING = 1000

const keyOf = (t: { topic: string; topicId: string; partition: number }) =>
  `${t.topicId === ZERO_UUID ? t.topic : t.topicId}:${t.partition}`

/** Of a partition that stands there twice the last counts, as in Kafka. */
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

/** Whether an incremental answer has to name a partition; notes what the client then knows. */
function isNews(cached: Cached, read: FetchedPartition): boolean {
  const news =
    read.size > 0 ||
    read.errorCode !== ErrorCode.NONE ||
    read.divergingEpoch !== undefined ||
    cached.highWatermark !== read.highWatermark ||
    cached.logStartOffset !== read.logStartOffset
  // an error is told again until it is gone
  cached.highWatermark = read.errorCode === ErrorCode.NONE ? read.highWatermark : -1
  cached.logStartOffset = read.logStartOffset
  return news
}

/**
 * The fetch sessions of all clients (KIP-227): a client then names only what changes, and is told only what is new. At most `slots` of them; a new
 * one takes the place of the one unused for longest, if that is at least two minutes. So it is with the partitions of all sessions together: who finds
 * no room goes on without a session, and names all it wants each time.
 */
export class FetchSessions {
  readonly #slots: number
  readonly #maxPartitions: number
  readonly #now: () => number
  #partitions = 0
  /** The least recently used first. */
  readonly #sessions = new Map<number, Session>()

  constructor(slots: number, now: () => number, maxPartitions = MAX_PARTITIONS) {
    this.#slots = slots
    this.#maxPartitions = maxPartitions
    this.#now = now
  }

  get size(): number {
    return this.#sessions.size
  }

  /** How many partitions they remember together. */
  get partitions(): number {
    return this.#partitions
  }

  /** What a request wants; an error code when its session is not as it thinks. */
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

  /** Null: what the session would have to remember is too much. It is gone then, and its client starts anew. */
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
      answer: read => ({ sessionId: session.id, partitions: this.#news(session, read) }),
    }
  }

  #news(session: Session, read: readonly FetchedPartition[]): FetchedPartition[] {
    const told: FetchedPartition[] = []
    for (const p of read) {
      const key = keyOf(p.target)
      const cached = session.partitions.get(key)
      if (!cached || !isNews(cached, p)) continue
      told.push(p)
      if (p.size === 0) continue
      // to the end of the line, so that a busy partition does not starve the others
      session.partitions.delete(key)
      session.partitions.set(key, cached)
    }
    return told
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
    if (!this.#makeRoom() || !this.#evictFor(targets.size)) return null
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

  #makeRoom(): boolean {
    return this.#sessions.size < this.#slots || this.#evictOldest()
  }

  /** Whether so many partitions more may be remembered, if need be in place of old ones. */
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
