import { ErrorCode, errorFor, type KafkaError } from '../../protocol/error-codes.ts'
import type { LeaderEpochs } from './leader-epochs.ts'
import type { LogEnv } from './log-env.ts'
import type { ProducerStates } from './producers/producer-states.ts'
import { PartitionTail } from './read/tail-cache.ts'
import type { Segment } from './segment/segment.ts'
import type { LogConfig } from './types.ts'

/** What was found on disk, or made, when a log was opened. */
export interface LoadedLog {
  readonly segments: Segment[]
  readonly producers: ProducerStates
  readonly epochs: LeaderEpochs
  readonly logStartOffset: number
  readonly logEndOffset: number
  readonly recoveryPoint: number
}

/** The parts of one partition's log, shared by its writer, its readers and its housekeeping. All changes are synchronous. */
export class LogState {
  readonly topic: string
  readonly partition: number
  readonly env: LogEnv
  config: LogConfig
  dir: string
  /** In the order of offsets, never empty while open; the last one is written to. */
  segments: Segment[]
  readonly producers: ProducerStates
  readonly epochs: LeaderEpochs
  readonly tail: PartitionTail
  logStartOffset: number
  logEndOffset: number
  highWatermark: number
  /** Everything below it is synced to disk. */
  recoveryPoint: number
  status: 'open' | 'deleted' | 'closed' = 'open'
  /** Why nothing may be written any more, although the log is open; null while all is well. */
  stopped: KafkaError | null = null
  readonly #listeners = new Set<() => void>()

  constructor(topic: string, partition: number, dir: string, env: LogEnv, config: LogConfig, loaded: LoadedLog) {
    this.topic = topic
    this.partition = partition
    this.dir = dir
    this.env = env
    this.config = config
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

  /** The number of the segment that an offset belongs to: the last one that begins at or before it; -1 before the first. */
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

  /** Where the segment of this number ends: the next one's base, or the log's end. */
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

  /** Moves the log's start forward; records below are no longer served. */
  raiseLogStart(offset: number): boolean {
    if (offset <= this.logStartOffset) return false
    this.logStartOffset = offset
    this.env.changed.add(this)
    this.epochs.truncateFromStart(offset)
    this.saveEpochs()
    if (this.highWatermark < offset) this.raiseHighWatermark(offset)
    return true
  }

  /** The epochs file can be rebuilt, so its failure stops nothing; it is tried again with the next change. */
  saveEpochs(): void {
    try {
      this.epochs.save()
    } catch (error) {
      this.env.logger.warn(`${this.name}: ${this.epochs.file} cannot be written`, error)
    }
  }

  onAdvance(listener: () => void): () => void {
    // one function may be given twice
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
        this.env.logger.error(`${this.name}: a listener to the high watermark failed`, error)
      }
    }
  }

  /** The error of a call on a log that is no longer there; null while it is open. */
  refusal(): KafkaError | null {
    if (this.status === 'open') return null
    const code = this.status === 'deleted' ? ErrorCode.UNKNOWN_TOPIC_OR_PARTITION : ErrorCode.KAFKA_STORAGE_ERROR
    return errorFor(code, `The log of ${this.name} is ${this.status}.`)
  }
}
