import type { ConsumerRecord, TopicPartition } from '../types.ts'
import type { Chunk } from './chunk.ts'

/** Which end of the log to start at. */
export type Reset = 'earliest' | 'latest'

/**
 * A position in a partition's log. Never changed: a new position is a new object, so answers can be
 * matched to it.
 */
export interface FetchPosition {
  /** The next offset to hand out. */
  readonly offset: number
  /** The leader epoch of the last record before the offset; -1 when unknown. */
  readonly offsetEpoch: number
  /** The epoch of the leader that the position belongs to; -1 when unknown. */
  readonly leaderEpoch: number
}

/** What is known of the position, as in Kafka's SubscriptionState. */
type State =
  /** To be looked up in the group's committed offsets. */
  | { readonly kind: 'initializing' }
  /** To be looked up at an end of the log. */
  | { readonly kind: 'await-reset'; readonly reset: Reset }
  /**
   * The leader must confirm that its log contains the position before anything is fetched or handed
   * out.
   */
  | { readonly kind: 'await-validation'; readonly at: FetchPosition }
  | { readonly kind: 'fetching'; readonly at: FetchPosition }

/** What the leader's answer about a position means. */
export type Validation =
  | { readonly kind: 'valid' }
  /** The position has changed since the request was sent: the response is ignored. */
  | { readonly kind: 'outdated' }
  /**
   * The leader's log differs from the log that was read, from `end` on; null when the leader does
   * not know the epoch.
   */
  | { readonly kind: 'truncated'; readonly end: { readonly offset: number; readonly epoch: number } | null }

/**
 * A partition that this consumer reads: its position, and what has been fetched ahead. No network
 * in here.
 */
export class AssignedPartition implements TopicPartition {
  readonly topic: string
  readonly partition: number
  paused = false
  /** The next offset to fetch: the position plus what has been fetched ahead. */
  fetchOffset = -1
  /** Counts the jumps of the position, so that answers to older fetches are told apart. */
  round = 0
  highWatermark = -1
  /** After a failure, not to be fetched before (performance.now). */
  notBefore = 0
  /** What to throw from `poll`. */
  error: Error | null = null
  /** A follower to read from (KIP-392), for as long as it is said to be fit; -1: the leader. */
  readReplica = -1
  readReplicaUntil = 0
  #state: State = { kind: 'initializing' }
  readonly #chunks: Chunk[] = []

  constructor(topic: string, partition: number) {
    this.topic = topic
    this.partition = partition
  }

  get name(): string {
    return `${this.topic}-${this.partition}`
  }

  /** The position, when it is certain that the leader's log contains it. */
  get position(): FetchPosition | null {
    return this.#state.kind === 'fetching' ? this.#state.at : null
  }

  /** The position that the leader must confirm. */
  get unvalidated(): FetchPosition | null {
    return this.#state.kind === 'await-validation' ? this.#state.at : null
  }

  /** The end of the log at which to start. */
  get reset(): Reset | null {
    return this.#state.kind === 'await-reset' ? this.#state.reset : null
  }

  /** Whether the position is to be looked up in the group's committed offsets. */
  get isInitializing(): boolean {
    return this.#state.kind === 'initializing'
  }

  /** Jumps to an offset that needs no check. Discards what was fetched ahead. */
  seek(offset: number, offsetEpoch = -1, leaderEpoch = -1): void {
    this.#state = { kind: 'fetching', at: { offset, offsetEpoch, leaderEpoch } }
    this.#jump(offset)
  }

  /**
   * Jumps to an offset that was read earlier, perhaps from another leader, such as a committed
   * offset.
   */
  seekUnvalidated(offset: number, offsetEpoch: number, leaderEpoch: number): void {
    this.#enter({ offset, offsetEpoch, leaderEpoch })
  }

  /** Forgets the position: it is to be looked up. */
  seekTo(reset: Reset): void {
    this.#state = { kind: 'await-reset', reset }
    this.#jump(-1)
  }

  /**
   * Takes note of the epoch of the partition's leader. The log of a new leader may have been
   * truncated below the position.
   */
  leaderIs(leaderEpoch: number): void {
    const state = this.#state
    if (leaderEpoch < 0 || state.kind === 'initializing' || state.kind === 'await-reset') return
    if (state.at.leaderEpoch !== leaderEpoch) this.#enter({ ...state.at, leaderEpoch })
  }

  /**
   * Handles the leader's response about a position; ignored unless it is still the current one.
   * After `truncated` the position still awaits validation: the caller decides where to continue.
   */
  validated(asked: FetchPosition, answer: { readonly endOffset: number; readonly leaderEpoch: number }): Validation {
    if (this.unvalidated !== asked) return { kind: 'outdated' }
    if (answer.endOffset < 0 || answer.leaderEpoch < 0) return { kind: 'truncated', end: null }
    if (answer.endOffset < asked.offset) {
      return { kind: 'truncated', end: { offset: answer.endOffset, epoch: answer.leaderEpoch } }
    }
    this.#state = { kind: 'fetching', at: asked }
    return { kind: 'valid' }
  }

  /** Discards what was fetched ahead; it is fetched again from the position. */
  dropBuffered(): void {
    if (this.position !== null) this.#jump(this.position.offset)
  }

  get bufferedBytes(): number {
    let sum = 0
    for (const c of this.#chunks) sum += c.bytes
    return sum
  }

  /** Whether the next range may be fetched: at most one waits behind the one that is being read. */
  get wantsMore(): boolean {
    return this.#chunks.length < 2
  }

  buffer(chunk: Chunk, end: number): void {
    this.#chunks.push(chunk)
    this.fetchOffset = end
  }

  /**
   * Adds up to `max` records to `out`, in order. The position moves on, also over offsets that hold nothing for the user. Throws on what
   * cannot be read; the records before it are in `out`, and the position stands before it.
   */
  take(max: number, out: ConsumerRecord[]): void {
    const before = out.length
    while (this.position !== null && this.#chunks.length > 0 && out.length - before < max) {
      const at = this.position
      const taken = this.#chunks[0]!.take(at.offset, max - (out.length - before), out)
      if (taken.position !== at.offset) {
        const { position: offset, epoch: offsetEpoch } = taken
        this.#state = { kind: 'fetching', at: { offset, offsetEpoch, leaderEpoch: at.leaderEpoch } }
      }
      if (!taken.more) this.#chunks.shift()
    }
  }

  get hasBuffered(): boolean {
    return this.#chunks.length > 0
  }

  /**
   * A position whose epochs are unknown cannot be checked. What was fetched from an earlier leader
   * is discarded in any case.
   */
  #enter(at: FetchPosition): void {
    const isKnown = at.offsetEpoch >= 0 && at.leaderEpoch >= 0
    this.#state = isKnown ? { kind: 'await-validation', at } : { kind: 'fetching', at }
    this.readReplica = -1
    this.#jump(at.offset)
  }

  #jump(offset: number): void {
    this.#chunks.length = 0
    this.fetchOffset = offset
    this.round++
    this.notBefore = 0
    this.error = null
  }
}
