import { ErrorCode, errorFor, type KafkaError } from '../../protocol/error-codes.ts'
import type { LeaderEpochs } from './leader-epochs.ts'
import type { LogEnv } from './log-env.ts'
import type { ProducerStates } from './producers/producer-states.ts'
import { PartitionTail } from './read/tail-cache.ts'
import type { Segment } from './segment/segment.ts'
import type { LogConfig } from './types.ts'

/** The result of opening or creating a log. */
export interface LoadedLog {
  readonly segments: Segment[]
  readonly producers: ProducerStates
  readonly epochs: LeaderEpochs
  readonly logStartOffset: number
  readonly logEndOffset: number
  readonly recoveryPoint: number
}

interface LogStateOptions {
  readonly topic: string
  readonly partition: number
  readonly dir: string
  readonly env: LogEnv
  readonly config: LogConfig
  readonly loaded: LoadedLog
}

/**
 * The state of one partition's log, which its writer, readers, retention and compaction share. All
 * changes are synchronous.
 */
export class LogState {
  readonly topic: string
  readonly partition: number
  readonly env: LogEnv
  config: LogConfig
  dir: string
  /**
   * The segments in offset order. While the log is open, there is at least one. Appends go to the
   * last segment.
   */
  segments: Segment[]
  readonly producers: ProducerStates
  readonly epochs: LeaderEpochs
  readonly tail: PartitionTail
  logStartOffset: number
  logEndOffset: number
  highWatermark: number
  /** All records below this offset are synced to disk. */
  recoveryPoint: number
  status: 'open' | 'deleted' | 'closed' = 'open'
  /**
   * After an error that followed a write, the log rejects all writes with this error. Null if there
   * was no such error.
   */
  stopped: KafkaError | null = null
  readonly #listeners = new Set<() => void>()

  constructor(o: LogStateOptions) {
    const { env, loaded } = o
    this.topic = o.topic
    this.partition = o.partition
    this.dir = o.dir
    this.env = env
    this.config = o.config
    this.segments = loaded.segments
    this.producers = loaded.producers
    this.epochs = loaded.epochs
    this.tail = new PartitionTail(env.tail)
    this.logStartOffset = loaded.logStartOffset
    this.logEndOffset = loaded.logEndOffset
    this.highWatermark = env.autoHighWatermark ? loaded.logEndOffset : loaded.logStartOffset
    this.recoveryPoint = loaded.recoveryPoint
    this.producers.onHighWatermark(this.highWatermark)
  }

  get name(): string {
    return `${this.topic}-${this.partition}`
  }

  get active(): Segment {
    return this.segments[this.segments.length - 1]!
  }

  get lastStableOffset(): number {
    return Math.min(this.highWatermark, this.producers.firstUndecided())
  }

  get sizeInBytes(): number {
    let size = 0
    for (const s of this.segments) size += s.size
    return size
  }

  /** Returns the index of the last segment whose base offset is at most `offset`, or -1. */
  segmentIndex(offset: number): number {
    const { segments } = this
    let low = 0
    let high = segments.length - 1
    while (low <= high) {
      const middle = (low + high) >>> 1
      if (segments[middle]!.baseOffset <= offset) low = middle + 1
      else high = middle - 1
    }
    return high
  }

  /**
   * Returns the end offset of a segment: the base offset of the next segment, or the log end
   * offset.
   */
  segmentEnd(index: number): number {
    return this.segments[index + 1]?.baseOffset ?? this.logEndOffset
  }

  raiseHighWatermark(offset: number): void {
    const next = Math.max(this.logStartOffset, Math.min(offset, this.logEndOffset))
    if (next === this.highWatermark) return
    this.highWatermark = next
    this.env.changed.add(this)
    this.producers.onHighWatermark(next)
    this.wake()
  }

  /**
   * Advances the log start offset. Reads no longer return records before it. Returns whether the
   * offset changed.
   */
  raiseLogStart(offset: number): boolean {
    if (offset <= this.logStartOffset) return false
    this.logStartOffset = offset
    this.env.changed.add(this)
    this.epochs.truncateFromStart(offset)
    this.saveEpochs()
    if (this.highWatermark < offset) this.raiseHighWatermark(offset)
    return true
  }

  /**
   * Saves the leader epochs. A failure is only logged, because recovery can rebuild the epochs, and
   * the next change saves them again.
   */
  saveEpochs(): void {
    try {
      this.epochs.save()
    } catch (error) {
      this.env.logger.warn(`${this.name}: cannot write ${this.epochs.file}`, error)
    }
  }

  onAdvance(listener: () => void): () => void {
    // Wrap the listener, so that the Set contains it once for each call of onAdvance.
    const entry = () => listener()
    this.#listeners.add(entry)
    return () => this.#listeners.delete(entry)
  }

  wake(): void {
    if (this.#listeners.size === 0) return
    for (const listener of [...this.#listeners]) {
      try {
        listener()
      } catch (error) {
        this.env.logger.error(`${this.name}: a listener of the high watermark failed`, error)
      }
    }
  }

  /** Returns the error for calls on a deleted or closed log, or null if the log is open. */
  refusal(): KafkaError | null {
    if (this.status === 'open') return null
    const code = this.status === 'deleted' ? ErrorCode.UNKNOWN_TOPIC_OR_PARTITION : ErrorCode.KAFKA_STORAGE_ERROR
    return errorFor(code, `The log of ${this.name} is ${this.status}.`)
  }
}
