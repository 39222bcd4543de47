import type { ConsumerRecord, TopicPartition } from '../types.ts'
import type { Chunk } from './chunk.ts'

/** Whether to start at the first record of the log or after the last one. */
export type Reset = 'earliest' | 'latest'

/**
 * A position in the log of a partition. Positions are immutable. A response is valid only if the
 * current position is the same object as when the request was sent.
 */
export interface FetchPosition {
  /** The next offset to return to the user. */
  readonly offset: number
  /** The leader epoch of the last record before the offset; -1 if unknown. */
  readonly offsetEpoch: number
  /** The leader epoch for which the position is valid or must be validated; -1 if unknown. */
  readonly leaderEpoch: number
}

/** The state of a partition's position, as in Kafka's SubscriptionState. */
type State =
  /** The position must be looked up in the group's committed offsets. */
  | { readonly kind: 'initializing' }
  /** The position must be set to the start or the end of the log. */
  | { readonly kind: 'await-reset'; readonly reset: Reset }
  /**
   * The leader must confirm that its log contains the position. Until then, nothing is fetched or
   * returned.
   */
  | { readonly kind: 'await-validation'; readonly at: FetchPosition }
  | { readonly kind: 'fetching'; readonly at: FetchPosition }

/** The result of the validation of a position. */
export type Validation =
  | { readonly kind: 'valid' }
  /** The position has changed since the request was sent, so the response is ignored. */
  | { readonly kind: 'outdated' }
  /**
   * From `end` on, the leader's log differs from the log that this consumer has read. `end` is
   * null if the leader does not know the epoch.
   */
  | { readonly kind: 'truncated'; readonly end: { readonly offset: number; readonly epoch: number } | null }

/**
 * A partition that this consumer reads: its position, and the fetched ranges that are not yet
 * returned. Does no I/O.
 */
export class AssignedPartition implements TopicPartition {
  readonly topic: string
  readonly partition: number
  paused = false
  /** The next offset to fetch: the offset after the buffered ranges. */
  fetchOffset = -1
  /**
   * The number of changes of the position. The response to a fetch is ignored if this number has
   * changed since the request.
   */
  round = 0
  highWatermark = -1
  /** The partition is not fetched before this time (performance.now), after a failure. */
  notBefore = 0
  /** The error that the next `poll` throws. */
  error: Error | null = null
  /** The follower to read from until `readReplicaUntil` (KIP-392); -1 to read from the leader. */
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

  /** The position if it is valid, or null. */
  get position(): FetchPosition | null {
    return this.#state.kind === 'fetching' ? this.#state.at : null
  }

  /** The position that the leader must confirm, or null. */
  get unvalidated(): FetchPosition | null {
    return this.#state.kind === 'await-validation' ? this.#state.at : null
  }

  /**
   * `earliest` or `latest` if the position must be set to the start or the end of the log;
   * otherwise null.
   */
  get reset(): Reset | null {
    return this.#state.kind === 'await-reset' ? this.#state.reset : null
  }

  /** Whether the position must be looked up in the group's committed offsets. */
  get isInitializing(): boolean {
    return this.#state.kind === 'initializing'
  }

  /** Sets the position to an offset that needs no validation. Discards the buffered ranges. */
  seek(offset: number, offsetEpoch = -1, leaderEpoch = -1): void {
    this.#state = { kind: 'fetching', at: { offset, offsetEpoch, leaderEpoch } }
    this.#jump(offset)
  }

  /**
   * Sets the position to an offset that was read earlier, possibly from another leader, such as a
   * committed offset.
   */
  seekUnvalidated(offset: number, offsetEpoch: number, leaderEpoch: number): void {
    this.#enter({ offset, offsetEpoch, leaderEpoch })
  }

  /** Discards the position. It will be set to the start or the end of the log. */
  seekTo(reset: Reset): void {
    this.#state = { kind: 'await-reset', reset }
    this.#jump(-1)
  }

  /**
   * Sets the epoch of the partition's leader. If the leader has changed, the position is validated,
   * because the new leader's log may be shorter.
   */
  leaderIs(leaderEpoch: number): void {
    const state = this.#state
    if (leaderEpoch < 0 || state.kind === 'initializing' || state.kind === 'await-reset') return
    if (state.at.leaderEpoch !== leaderEpoch) this.#enter({ ...state.at, leaderEpoch })
  }

  /**
   * Handles the leader's response to the validation of a position. The result `outdated` means that
   * the position has changed. After `truncated`, the caller decides where to continue.
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

  /** Discards the buffered ranges. They are fetched again from the position. */
  dropBuffered(): void {
    if (this.position !== null) this.#jump(this.position.offset)
  }

  get bufferedBytes(): number {
    let sum = 0
    for (const c of this.#chunks) sum += c.bytes
    return sum
  }

  /** Whether the next range may be fetched. At most two ranges are buffered. */
  get wantsMore(): boolean {
    return this.#chunks.length < 2
  }

  buffer(chunk: Chunk, end: number): void {
    this.#chunks.push(chunk)
    this.fetchOffset = end
  }

  /**
   * Adds up to `max` records to `out`, in order, and moves the position past them and past offsets
   * without records. Throws for an invalid batch. In this case `out` contains the records before
   * the batch, and the position is before the batch.
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
   * Moves to a position, and discards buffered records. The position is validated before fetching
   * if both of its epochs are known.
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
