import type { ConsumerRecord, TopicPartition } from '../types.ts'
import type { Chunk } from './chunk.ts'

/** Where to start: a reset policy, or a time to look up. */
export type Reset = 'earliest' | 'latest'

/** A partition that this consumer reads: where it stands, and what has been fetched ahead. No network in here. */
export class AssignedPartition implements TopicPartition {
  readonly topic: string
  readonly partition: number
  /** The next offset to hand out; null until it is known. */
  position: number | null = null
  /** The leader epoch of the last record handed out; -1 when unknown. */
  positionEpoch = -1
  /** Where to start, if the position has to be looked up by the log's ends. */
  reset: Reset | null = null
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
  /** The leader epoch against which the position was last checked for a cut log. */
  validatedEpoch = -1
  readonly #chunks: Chunk[] = []

  constructor(topic: string, partition: number) {
    this.topic = topic
    this.partition = partition
  }

  get name(): string {
    return `${this.topic}-${this.partition}`
  }

  /** Jumps to an offset; what was fetched ahead is dropped. */
  seek(offset: number, epoch = -1): void {
    this.position = offset
    this.positionEpoch = epoch
    this.reset = null
    this.#jump(offset)
  }

  /** Forgets the position: it is to be looked up. */
  seekTo(reset: Reset): void {
    this.position = null
    this.positionEpoch = -1
    this.reset = reset
    this.#jump(-1)
  }

  /** Lets go of what was fetched ahead; it is fetched again from the position. */
  dropBuffered(): void {
    if (this.position !== null) this.#jump(this.position)
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
    try {
      while (this.#chunks.length > 0 && out.length - before < max) {
        const { position, more } = this.#chunks[0]!.take(this.position!, max - (out.length - before), out)
        this.position = position
        if (!more) this.#chunks.shift()
      }
    } finally {
      if (out.length > before) this.positionEpoch = out.at(-1)!.leaderEpoch
    }
  }

  get hasBuffered(): boolean {
    return this.#chunks.length > 0
  }

  #jump(offset: number): void {
    this.#chunks.length = 0
    this.fetchOffset = offset
    this.round++
    this.notBefore = 0
    this.error = null
  }
}
