import { ErrorCode } from '../../protocol/error-codes.ts'
import type { FetchRequest } from '../../protocol/messages/01-fetch.ts'
import type { Message } from '../../protocol/schema/declare.ts'
import { ZERO_UUID } from '../../protocol/uuid.ts'
import type { FetchedPartition } from './fetch-read.ts'

type Request = Message<typeof FetchRequest>

/** What a fetch asks of one partition. */
export interface FetchTarget {
  /** Empty where the request goes by ids. */
  readonly topic: string
  readonly topicId: string
  readonly partition: number
  readonly fetchOffset: number
  readonly maxBytes: number
  readonly currentLeaderEpoch: number
  readonly lastFetchedEpoch: number
}

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

const keyOf = (t: { topic: string; topicId: string; partition: number }) =>
  `${t.topicId === ZERO_UUID ? t.topic : t.topicId}:${t.partition}`

function targetsOf(request: Request): FetchTarget[] {
  const targets: FetchTarget[] = []
  for (const { topic, topicId, partitions } of request.topics) {
    for (const p of partitions) {
      targets.push({
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
 * one takes the place of the one unused for longest, if that is at least two minutes.
 */
export class FetchSessions {
  readonly #slots: number
  readonly #now: () => number
  /** The least recently used first. */
  readonly #sessions = new Map<number, Session>()

  constructor(slots: number, now: () => number) {
    this.#slots = slots
    this.#now = now
  }

  get size(): number {
    return this.#sessions.size
  }

  /** What a request wants; an error code when its session is not as it thinks. */
  contextOf(request: Request, apiVersion: number): FetchContext | { readonly errorCode: number } {
    const { sessionId, sessionEpoch } = request
    if (sessionEpoch === INITIAL_EPOCH || sessionEpoch === FINAL_EPOCH) {
      if (sessionId !== 0) this.#sessions.delete(sessionId)
      return sessionEpoch === FINAL_EPOCH ? sessionless(request) : this.#full(request, apiVersion)
    }
    const session = this.#sessions.get(sessionId)
    if (!session) return { errorCode: ErrorCode.FETCH_SESSION_ID_NOT_FOUND }
    if (session.epoch !== sessionEpoch) return { errorCode: ErrorCode.INVALID_FETCH_SESSION_EPOCH }
    if (session.usesTopicIds !== apiVersion >= 13) return { errorCode: ErrorCode.FETCH_SESSION_TOPIC_ID_ERROR }
    return this.#incremental(session, request)
  }

  #full(request: Request, apiVersion: number): FetchContext {
    const targets = targetsOf(request)
    return {
      targets,
      answer: read => {
        const session = this.#create(targets, apiVersion)
        if (session) for (const p of read) session.partitions.get(keyOf(p.target))!.highWatermark = p.highWatermark
        if (session) for (const p of read) session.partitions.get(keyOf(p.target))!.logStartOffset = p.logStartOffset
        return { sessionId: session?.id ?? 0, partitions: read }
      },
    }
  }

  #incremental(session: Session, request: Request): FetchContext {
    for (const { topic, topicId, partitions } of request.forgottenTopicsData) {
      for (const partition of partitions) session.partitions.delete(keyOf({ topic, topicId, partition }))
    }
    for (const target of targetsOf(request)) {
      const cached = session.partitions.get(keyOf(target))
      if (cached) cached.target = target
      else session.partitions.set(keyOf(target), { target, highWatermark: -1, logStartOffset: -1 })
    }
    this.#touch(session)
    if (session.partitions.size === 0) {
      this.#sessions.delete(session.id)
      return sessionless(request)
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

  #create(targets: readonly FetchTarget[], apiVersion: number): Session | null {
    if (targets.length === 0 || !this.#makeRoom()) return null
    let id: number
    do id = 1 + Math.floor(Math.random() * MAX_ID)
    while (this.#sessions.has(id))
    const partitions = new Map(
      targets.map(target => [keyOf(target), { target, highWatermark: -1, logStartOffset: -1 }] as const),
    )
    const session = { id, usesTopicIds: apiVersion >= 13, epoch: 1, lastUsed: this.#now(), partitions }
    this.#sessions.set(id, session)
    return session
  }

  #makeRoom(): boolean {
    if (this.#sessions.size < this.#slots) return true
    const [oldest] = this.#sessions.values()
    if (!oldest || this.#now() - oldest.lastUsed <= EVICTION_MS) return false
    this.#sessions.delete(oldest.id)
    return true
  }
}

function sessionless(request: Request): FetchContext {
  return { targets: targetsOf(request), answer: read => ({ sessionId: 0, partitions: read }) }
}
