import type { BufferPool } from '../../common/buffer-pool.ts'
import type { Logger } from '../../common/log.ts'

/**
 * `compression.type` of a topic. `producer` keeps the producer's compression, and the others
 * recompress on append.
 */
export type TopicCompression = 'producer' | 'uncompressed' | 'gzip' | 'snappy' | 'lz4' | 'zstd'

/**
 * The settings of one partition's log, with the names and defaults of Kafka's topic configuration
 * (`segment.bytes` is `segmentBytes`). `log-config.ts` contains the defaults. Times are in
 * milliseconds and sizes in bytes. -1 means no limit.
 */
export interface LogConfig {
  readonly segmentBytes: number
  readonly segmentMs: number
  /**
   * `segment.jitter.ms`: a random part of segment.ms, so that partitions do not roll at the same
   * time. Default 0.
   */
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
  /**
   * `flush.messages`: call fdatasync after this many records. Default: never (the operating system
   * decides).
   */
  readonly flushMessages: number
  /** `flush.ms`: call fdatasync at most this long after an append. Default: never. */
  readonly flushMs: number
  readonly fileDeleteDelayMs: number
  readonly deleteRetentionMs: number
  readonly minCompactionLagMs: number
  readonly maxCompactionLagMs: number
  readonly minCleanableDirtyRatio: number
  /**
   * `millrace.log.fsync`, which is specific to Millrace: `group` acknowledges only after a
   * group-committed fdatasync. Default `none`.
   */
  readonly fsync: 'none' | 'group'
}

/**
 * Who appends: a producer, a coordinator in this process (which may write control batches), or a
 * follower that copies a leader's records with their offsets.
 */
export type AppendOrigin = 'client' | 'coordinator' | 'replication'

export interface AppendOptions {
  readonly origin: AppendOrigin
  readonly leaderEpoch: number
  /** `acks` of the request. Default -1. It does not affect the checks of idempotent batches. */
  readonly requiredAcks?: number
}

export interface AppendResult {
  readonly baseOffset: number
  readonly lastOffset: number
  /** The broker's time, if it replaced the record timestamps. -1 for CreateTime. */
  readonly logAppendTime: number
  readonly logStartOffset: number
  /**
   * Whether the log already contained the batch (an idempotent producer's retry). The offsets are
   * those of the first write.
   */
  readonly duplicate: boolean
}

export interface ReadOptions {
  readonly upTo: 'highWatermark' | 'logEnd' | 'lastStable'
  /** Return at least the first batch, even if it is larger than `maxBytes`. */
  readonly minOneBatch: boolean
}

export interface AbortedTransaction {
  readonly producerId: number
  readonly firstOffset: number
}

export interface ReadResult {
  /** Whole batches in order. Callers must not change them, because they belong to the log. */
  readonly chunks: readonly Buffer[]
  readonly size: number
  readonly highWatermark: number
  readonly lastStableOffset: number
  readonly logStartOffset: number
  /**
   * Releases the chunks so that their memory can be reused. Call it at most once, when nothing
   * refers to the chunks any more. If it is not called, they are garbage collected. Null if there
   * is nothing to release.
   */
  readonly release: (() => void) | null
}

export interface OffsetAndTimestamp {
  readonly offset: number
  readonly timestamp: number
  readonly leaderEpoch: number
}

/** One producer, as DescribeProducers shows it. */
export interface ProducerStateView {
  readonly producerId: number
  readonly producerEpoch: number
  readonly lastSequence: number
  readonly lastTimestamp: number
  readonly coordinatorEpoch: number
  /** The first offset of its open transaction. -1 without an open transaction. */
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
  readonly segmentCount: number
  /**
   * Whether the log was closed cleanly before, or is new. If so, it contains every acknowledged
   * record.
   */
  readonly openedCleanly: boolean
  /** The epoch of the log's first record. -1 if unknown. */
  readonly earliestEpoch: number
  /**
   * Starts a leader epoch: records from the end of the log on have this epoch
   * (`leader-epoch-checkpoint`).
   */
  beginEpoch(epoch: number): void
  /**
   * Appends one or more whole batches. Resolves when they are written, and synced if so configured.
   * Until then the buffer belongs to the log, which writes offsets and epochs into it. Rejects with
   * a KafkaError once it no longer uses the buffer: CORRUPT_MESSAGE, MESSAGE_TOO_LARGE,
   * OUT_OF_ORDER_SEQUENCE_NUMBER, INVALID_PRODUCER_EPOCH, INVALID_TIMESTAMP, INVALID_RECORD,
   * KAFKA_STORAGE_ERROR.
   */
  append(records: Buffer, o: AppendOptions): Promise<AppendResult>
  /**
   * Returns batches, starting with the one that contains `offset`. Synchronous if the tail cache
   * has them. Fails with OFFSET_OUT_OF_RANGE.
   */
  read(offset: number, maxBytes: number, o: ReadOptions): ReadResult | Promise<ReadResult>
  /**
   * The approximate number of bytes that a read from `offset` to the high watermark would return,
   * at most `cap`. Does not read.
   */
  bytesAvailable(offset: number, cap: number): number
  /**
   * Calls `listener` when the high watermark advances or the log is deleted or closed. Returns a
   * function that unsubscribes.
   */
  onAdvance(listener: () => void): () => void
  /** Returns the first record below `maxOffset` with a timestamp of at least `ts`. */
  offsetForTimestamp(ts: number, o?: { maxOffset?: number }): Promise<OffsetAndTimestamp | null>
  /** Returns the first record with the highest timestamp. */
  maxTimestampOffset(o?: { maxOffset?: number }): Promise<OffsetAndTimestamp | null>
  /**
   * OffsetsForLeaderEpoch: returns the largest epoch at or below the requested one, and where it
   * ends. -1/-1 if unknown.
   */
  endOffsetForEpoch(epoch: number): { epoch: number; endOffset: number }
  /**
   * DeleteRecords. -1 means the high watermark. Resolves to the new log start offset. Fails with
   * OFFSET_OUT_OF_RANGE.
   */
  deleteRecordsBefore(offset: number): Promise<number>
  updateConfig(config: LogConfig): void
  /** Syncs everything written so far, and advances the recovery point. */
  flush(): Promise<void>
  /**
   * Deletes segments according to retention time, retention size and the log start. Resolves to
   * their number.
   */
  runRetention(now: number): Promise<number>
  setHighWatermark(n: number): void
  producerStates(): ProducerStateView[]
  /** Returns the aborted transactions that overlap [from, to), for read_committed fetches. */
  abortedTransactions(from: number, to: number): Promise<AbortedTransaction[]>
  close(): Promise<void>
}

export interface LogManagerOptions {
  /** `log.dirs`: at least one. A new partition goes to the directory with the fewest partitions. */
  readonly dirs: readonly string[]
  readonly defaults: LogConfig
  readonly logger?: Logger
  /**
   * Whether the high watermark advances automatically after each append, as with a single replica.
   * Default true.
   */
  readonly autoHighWatermark?: boolean
  /** The memory for recent records of all partitions together, in bytes. Default 64 MiB. */
  readonly tailCacheBytes?: number
  /** The memory for recent records of each partition, in bytes. Default 4 MiB. */
  readonly tailCacheBytesPerPartition?: number
  /** The buffer pool for reads and for the tail cache. Defaults to a separate pool. */
  readonly pool?: BufferPool
  /** `producer.id.expiration.ms`. Default 86400000. */
  readonly producerIdExpirationMs?: number
  /** The maximum number of open segment files for all partitions. Default 2048. */
  readonly maxOpenFiles?: number
  /** `log.retention.check.interval.ms`. Default 300000. */
  readonly retentionCheckIntervalMs?: number
  /** `log.cleaner.backoff.ms`: the interval between checks for logs to compact. Default 15000. */
  readonly cleanerBackoffMs?: number
  /**
   * `log.cleaner.dedupe.buffer.size`: the memory limit for the keys of one compaction. Default 128
   * MiB.
   */
  readonly cleanerMapBytes?: number
  /** The system clock, for tests. */
  readonly now?: () => number
}

/** All logs of a broker. Implemented by `log-manager.ts`. `LogManager.open(options)` opens it. */
export interface LogManager {
  /**
   * Opens or creates a partition's log. `config` is the topic's configuration, by default the
   * defaults of the manager.
   */
  getOrCreate(topic: string, partition: number, topicId: string, config?: LogConfig): Promise<PartitionLog>
  get(topic: string, partition: number): PartitionLog | undefined
  /**
   * Stops returning the log. Its directory is renamed to `...-delete` in the background, and
   * removed after `file.delete.delay.ms`. With a topic id, only that topic's log is removed.
   */
  delete(topic: string, partition: number, topicId?: string): Promise<void>
  /**
   * Empties a log that ends before an offset, and continues it at that offset. Use this only if its
   * records exist elsewhere.
   */
  startOver(topic: string, partition: number, offset: number): Promise<PartitionLog>
  all(): PartitionLog[]
  /**
   * Runs the periodic work: retention, compaction, checkpoints and removal of deleted logs. Call it
   * about once per second.
   */
  tick(now: number): Promise<void>
  /** Flushes all logs, writes the checkpoints and `.kafka_cleanshutdown`, and closes everything. */
  close(): Promise<void>
}
