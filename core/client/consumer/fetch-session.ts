import { ErrorCode } from '../../protocol/error-codes.ts'

/** What to fetch of a partition. */
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
  /** Partitions to name in the request: all in a full one, else those that are new or have changed. */
  readonly send: readonly FetchTarget[]
  readonly forget: readonly FetchTarget[]
}

const INITIAL_EPOCH = 0
const MAX_EPOCH = 0x7fffffff

/** The consumer's side of a fetch session with one broker (KIP-227): only changes are sent. No network in here. */
export class FetchSession {
  #id = 0
  #epoch = INITIAL_EPOCH
  /** What the broker knows, in its order. */
  #known = new Map<string, FetchTarget>()
  #usesIds = false

  /** `targets` is all that is to be fetched now. */
  plan(targets: ReadonlyMap<string, FetchTarget>, usesIds: boolean): FetchPlan {
    // A session speaks of topics either by name or by id.
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
      // To the end: the broker serves partitions in turn.
      this.#known.delete(key)
      this.#known.set(key, now)
      send.push(now)
    }
    return { sessionId: this.#id, epoch: this.#epoch, send, forget }
  }

  /** After an answer. False: the session is void, and the next request is a full one. */
  answered(code: number, sessionId: number): boolean {
    if (code !== 0) {
      if (code === ErrorCode.FETCH_SESSION_ID_NOT_FOUND) this.#id = 0
      this.#epoch = INITIAL_EPOCH
      return false
    }
    this.#id = sessionId
    // Session 0: the broker has no room for one, so every request is a full one.
    this.#epoch = sessionId === 0 ? INITIAL_EPOCH : this.#epoch === MAX_EPOCH ? 1 : this.#epoch + 1
    return true
  }

  /** No answer came: the broker may or may not have seen the request. */
  failed(): void {
    this.#epoch = INITIAL_EPOCH
  }

  /** The open session's id; 0 without one. */
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
