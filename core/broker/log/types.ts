import type { BufferPool } from '../../common/buffer-pool.ts'
import type { Logger } from '../../common/log.ts'

/** `compression.type` of a topic: `producer` keeps what the producer chose, the others recompress on append. */
export type TopicCompression = 'producer' | 'uncompressed' | 'gzip' | 'snappy' | 'lz4' | 'zstd'

/**
 * How one partition's log behaves. Names and defaults are those of Kafka's topic configuration (`segment.bytes` is
 * `segmentBytes`); `log-config.ts` holds the defaults. Times in milliseconds, sizes in bytes, -1 is "no limit".
 */
export interface LogConfig {
  readonly segmentBytes: number
  readonly segmentMs: number
  /** `segment.jitter.ms`: a random part of segment.ms, so that not all partitions roll at once. Default 0. */
  readonly segmentJitterMs: number
  readonly segmentIndexBytes: number
  readonly indexIntervalBytes: number
  readonly retentionMs: number
  readonly retentionBytes: number
  readonly cleanupPolicy: readonly ('delete' | 'compact')[]
  readonly maxMessageBytes: number
  readonly messageTimestampType: 'CreateTime' | 'LogAppendTime'
  readonly messageTimestampBeforeMaxMs: number
  readonly messageTimestampAfterMaxMs: number
  readonly compressionType: TopicCompression
  /** `flush.messages`: fdatasync after so many records. Default: never (the operating system decides). */
  readonly flushMessages: number
  /** `flush.ms`: fdatasync at the latest so long after an append. Default: never. */
  readonly flushMs: number
  readonly fileDeleteDelayMs: number
  readonly deleteRetentionMs: number
  readonly minCompactionLagMs: number
  readonly maxCompactionLagMs: number
  readonly minCleanableDirtyRatio: number
  /** `millrace.log.fsync`, Millrace's own: `group` acknowledges only after a group-committed fdatasync. Default `none`. */
  readonly fsync: 'none' | 'group'
}

/** Who appends: a producer, a coordinator in this process (may write control batches), or a leader's records (offsets given). */
export type AppendOrigin = 'client' | 'coordinator' | 'replication'

export interface AppendOptions {
  readonly origin: AppendOrigin
  readonly leaderEpoch: number
  /** `acks` of the request. Default -1. Idempotent batches are checked the same whatever it is. */
  readonly requiredAcks?: number
}

export interface AppendResult {
  readonly baseOffset: number
  readonly lastOffset: number
  /** The broker's time put into the records; -1 for CreateTime. */
  readonly logAppendTime: number
  readonly logStartOffset: number
  /** The batch was there already (an idempotent producer's retry); the offsets are those of the first write. */
  readonly duplicate: boolean
}

export interface ReadOptions {
  readonly upTo: 'highWatermark' | 'logEnd' | 'lastStable'
  /** Give at least the first batch, even when it is larger than `maxBytes`. */
  readonly minOneBatch: boolean
}

export interface AbortedTransaction {
  readonly producerId: number
  readonly firstOffset: number
}

export interface ReadResult {
  /** Whole batches in order. Never change them: they are the log's own. */
  readonly chunks: readonly Buffer[]
  readonly size: number
  readonly highWatermark: number
  readonly lastStableOffset: number
  readonly logStartOffset: number
  /**
   * Call it at most once, when nothing refers to the chunks any more: their memory is then used again. Null where it is not.
   * A reader that does not call it leaves them to the garbage collector.
   */
  readonly release: (() => void) | null
}

export interface OffsetAndTimestamp {
  readonly offset: number
  readonly timestamp: number
  readonly leaderEpoch: number
}

/** What DescribeProducers shows of one producer. */
export interface ProducerStateView {
  readonly producerId: number
  readonly producerEpoch: number
  readonly lastSequence: number
  readonly lastTimestamp: number
  readonly coordinatorEpoch: number
  /** First offset of its open transaction; -1 when there is none. */
  readonly currentTxnStartOffset: number
}

/** One partition's log on disk, in Apache Kafka's layout. Implemented by `partition-log.ts`. */
export interface PartitionLog {
  readonly topic: string
  readonly partition: number
  readonly topicId: string
  readonly dir: string
  readonly config: LogConfig
  readonly logStartOffset: number
  readonly highWatermark: number
  readonly logEndOffset: number
  readonly lastStableOffset: number
  readonly sizeInBytes: number
  /** It was closed properly before, or is new: whatever was acknowledged is in it. */
  readonly openedCleanly: boolean
  /** The epoch of the log's first record; -1 unknown. */
  readonly earliestEpoch: number
  /** A leader's time begins: records from the log's end on have this epoch (`leader-epoch-checkpoint`). */
  beginEpoch(epoch: number): void
  /**
   * Appends one or more whole batches. Resolves when they are written (and fdatasynced if so configured). The log takes
   * the buffer over until then: it patches offsets and epoch in place. Rejects, when it no longer uses it, with a KafkaError:
   * CORRUPT_MESSAGE, MESSAGE_TOO_LARGE, OUT_OF_ORDER_SEQUENCE_NUMBER, INVALID_PRODUCER_EPOCH, INVALID_TIMESTAMP,
   * INVALID_RECORD, KAFKA_STORAGE_ERROR.
   */
  append(records: Buffer, o: AppendOptions): Promise<AppendResult>
  /** Batches from the one that holds `offset`; synchronous when the tail in memory has them. OFFSET_OUT_OF_RANGE. */
  read(offset: number, maxBytes: number, o: ReadOptions): ReadResult | Promise<ReadResult>
  /** About how many bytes a read from `offset` to the high watermark would give, at most `cap`. Reads nothing. */
  bytesAvailable(offset: number, cap: number): number
  /** Calls back when the high watermark moved or the log was deleted or closed. Returns the way to stop. */
  onAdvance(listener: () => void): () => void
  /** The first record with a timestamp of at least `ts`, below `maxOffset`. */
  offsetForTimestamp(ts: number, o?: { maxOffset?: number }): Promise<OffsetAndTimestamp | null>
  /** The (first) record with the highest timestamp. */
  maxTimestampOffset(o?: { maxOffset?: number }): Promise<OffsetAndTimestamp | null>
  /** OffsetsForLeaderEpoch: the largest epoch at or below the one asked for, and where it ends; -1/-1 when unknown. */
  endOffsetForEpoch(epoch: number): { epoch: number; endOffset: number }
  /** DeleteRecords. -1 is the high watermark. Resolves to the new log start offset. OFFSET_OUT_OF_RANGE. */
  deleteRecordsBefore(offset: number): Promise<number>
  updateConfig(config: LogConfig): void
  /** fdatasync of everything written so far; moves the recovery point. */
  flush(): Promise<void>
  /** Deletes segments that retention lets go (time, size, log start). Resolves to their number. */
  runRetention(now: number): Promise<number>
  setHighWatermark(n: number): void
  producerStates(): ProducerStateView[]
  /** Aborted transactions that overlap [from, to), for read_committed fetches. */
  abortedTransactions(from: number, to: number): Promise<AbortedTransaction[]>
  close(): Promise<void>
}

export interface LogManagerOptions {
  /** `log.dirs`: at least one. A partition is put where the fewest are. */
  readonly dirs: readonly string[]
  readonly defaults: LogConfig
  readonly logger?: Logger
  /** A single replica advances the high watermark by itself after each append. Default true. */
  readonly autoHighWatermark?: boolean
  /** Bytes of recent records in memory, for all partitions together. Default 64 MiB. */
  readonly tailCacheBytes?: number
  /** And for one partition. Default 4 MiB. */
  readonly tailCacheBytesPerPartition?: number
  /** Memory for reads and for the tail; by default its own. */
  readonly pool?: BufferPool
  /** `producer.id.expiration.ms`. Default 86400000. */
  readonly producerIdExpirationMs?: number
  /** Segment files open at once, for all partitions. Default 2048. */
  readonly maxOpenFiles?: number
  /** `log.retention.check.interval.ms`. Default 300000. */
  readonly retentionCheckIntervalMs?: number
  /** `log.cleaner.backoff.ms`: how often to look for logs to compact. Default 15000. */
  readonly cleanerBackoffMs?: number
  /** `log.cleaner.dedupe.buffer.size`: the most memory for the keys of one compaction. Default 128 MiB. */
  readonly cleanerMapBytes?: number
  /** The wall clock, for tests. */
  readonly now?: () => number
}

/** All logs of a broker. Implemented by `log-manager.ts`; `LogManager.open(options)` opens it. */
export interface LogManager {
  /** Opens or creates a partition's log. `config` is the topic's own; the defaults where it is absent. */
  getOrCreate(topic: string, partition: number, topicId: string, config?: LogConfig): Promise<PartitionLog>
  get(topic: string, partition: number): PartitionLog | undefined
  /**
   * The log is no longer handed out. Its directory is renamed to `...-delete` in the background,
   * and removed after `file.delete.delay.ms`. With a topic's id only that topic's log is removed.
   */
  delete(topic: string, partition: number, topicId?: string): Promise<void>
  /**
   * Empties a log that ends before an offset and continues it there. Only if its records exist
   * elsewhere.
   */
  startOver(topic: string, partition: number, offset: number): Promise<PartitionLog>
  all(): PartitionLog[]
  /** Runs what is due: retention, compaction, checkpoints, removal of deleted logs. Call it every second or so. */
  tick(now: number): Promise<void>
  /** Flushes all, writes checkpoints and `.kafka_cleanshutdown`, closes. */
  close(): Promise<void>
}
