import { ErrorCode } from '../../protocol/error-codes.ts'

/** A partition to fetch, and the offset to start at. */
export interface FetchTarget {
  readonly topic: string
  readonly topicId: string
  readonly partition: number
  readonly fetchOffset: number
  readonly leaderEpoch: number
  readonly maxBytes: number
}

export interface FetchPlan {
  readonly sessionId: number
  readonly epoch: number
  /**
   * The partitions in the request. A full request contains all partitions. Other requests contain
   * only new and changed partitions.
   */
  readonly send: readonly FetchTarget[]
  readonly forget: readonly FetchTarget[]
}

const INITIAL_EPOCH = 0
const MAX_EPOCH = 0x7fffffff

/**
 * The consumer's side of a fetch session with one broker (KIP-227). After the first request, only
 * changes are sent. Does no I/O.
 */
export class FetchSession {
  #id = 0
  #epoch = INITIAL_EPOCH
  /** The partitions in the broker's session, in the order of the session. */
  #known = new Map<string, FetchTarget>()
  #usesIds = false

  /** Returns the next request. `targets` contains all partitions to fetch now. */
  plan(targets: ReadonlyMap<string, FetchTarget>, usesIds: boolean): FetchPlan {
    // A session identifies topics either by name or by id. A change requires a new session.
    if (this.#epoch !== INITIAL_EPOCH && usesIds !== this.#usesIds) this.#epoch = INITIAL_EPOCH
    this.#usesIds = usesIds
    if (this.#epoch === INITIAL_EPOCH) {
      this.#known = new Map(targets)
      return { sessionId: this.#id, epoch: INITIAL_EPOCH, send: [...targets.values()], forget: [] }
    }
    const send: FetchTarget[] = []
    const forget: FetchTarget[] = []
    for (const [key, old] of this.#known) {
      const now = targets.get(key)
      if (now && now.topicId === old.topicId) continue
      forget.push(old)
      this.#known.delete(key)
    }
    for (const [key, now] of targets) {
      const old = this.#known.get(key)
      if (old && same(old, now)) continue
      // Move the partition to the end, because the broker serves the partitions in rotation.
      this.#known.delete(key)
      this.#known.set(key, now)
      send.push(now)
    }
    return { sessionId: this.#id, epoch: this.#epoch, send, forget }
  }

  /**
   * Handles a response. Returns false if the session is invalid. The next request is then a full
   * one.
   */
  answered(code: number, sessionId: number): boolean {
    if (code !== 0) {
      if (code === ErrorCode.FETCH_SESSION_ID_NOT_FOUND) this.#id = 0
      this.#epoch = INITIAL_EPOCH
      return false
    }
    this.#id = sessionId
    // Session id 0 means that the broker's session cache is full. Every request must then be a full
    // one.
    this.#epoch = sessionId === 0 ? INITIAL_EPOCH : this.#epoch === MAX_EPOCH ? 1 : this.#epoch + 1
    return true
  }

  /**
   * Handles a lost response. The next request is a full one, because it is unknown whether the
   * broker has handled the last request.
   */
  failed(): void {
    this.#epoch = INITIAL_EPOCH
  }

  /** The id of the open session; 0 if no session is open. */
  get id(): number {
    return this.#id
  }
}

function same(a: FetchTarget, b: FetchTarget): boolean {
  return (
    a.fetchOffset === b.fetchOffset &&
    a.leaderEpoch === b.leaderEpoch &&
    a.maxBytes === b.maxBytes &&
    a.topicId === b.topicId
  )
}
