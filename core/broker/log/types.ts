import type { BufferPool } from '../../common/buffer-pool.ts'
import type { Logger } from '../../common/log.ts'

/**
 * `compression.type` of a topic. `producer` keeps the compression that the producer chose. With any
 * other value, the log recompresses batches that are compressed differently.
 */
export type TopicCompression = 'producer' | 'uncompressed' | 'gzip' | 'snappy' | 'lz4' | 'zstd'

/**
 * The settings of one partition's log. The names and defaults are those of Kafka's topic
 * configuration. For example, `segmentBytes` is `segment.bytes`. `log-config.ts` contains the
 * defaults. Times are in milliseconds, and sizes are in bytes. -1 means no limit.
 */
export interface LogConfig {
  readonly segmentBytes: number
  readonly segmentMs: number
  /**
   * `segment.jitter.ms`: the maximum jitter that is subtracted from `segment.ms`, so that
   * partitions do not roll at the same time. Default 0.
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
   * `flush.messages`: call fdatasync after this many records. By default, the operating system
   * decides when to write records to disk.
   */
  readonly flushMessages: number
  /**
   * `flush.ms`: call fdatasync at this interval. By default, the operating system decides when to
   * write records to disk.
   */
  readonly flushMs: number
  readonly fileDeleteDelayMs: number
  readonly deleteRetentionMs: number
  readonly minCompactionLagMs: number
  readonly maxCompactionLagMs: number
  readonly minCleanableDirtyRatio: number
  /**
   * `millrace.log.fsync`, which Kafka does not have. With `group`, appends are acknowledged only
   * after an fdatasync, which concurrent appends share. Default `none`.
   */
  readonly fsync: 'none' | 'group'
}

/**
 * Who appends a batch. `client`: a producer. `coordinator`: a coordinator in this process, which
 * may also write control batches. `replication`: a follower that copies a leader's records with
 * their offsets.
 */
export type AppendOrigin = 'client' | 'coordinator' | 'replication'

export interface AppendOptions {
  readonly origin: AppendOrigin
  readonly leaderEpoch: number
}

export interface AppendResult {
  readonly baseOffset: number
  readonly lastOffset: number
  /**
   * With LogAppendTime, the broker's time that replaced the record timestamps. -1 for CreateTime.
   */
  readonly logAppendTime: number
  readonly logStartOffset: number
  /**
   * Whether the batch is a retry of an idempotent producer, and the log already contained it. The
   * offsets are then those of the first write.
   */
  readonly duplicate: boolean
}

export interface ReadOptions {
  readonly upTo: 'highWatermark' | 'logEnd' | 'lastStable'
  /** Whether to return at least the first batch, even if it is larger than `maxBytes`. */
  readonly minOneBatch: boolean
}

export interface AbortedTransaction {
  readonly producerId: number
  readonly firstOffset: number
}

export interface ReadResult {
  /**
   * Buffers that contain whole batches, in order. Callers must not change the buffers, because
   * other reads may share them.
   */
  readonly chunks: readonly Buffer[]
  readonly size: number
  readonly highWatermark: number
  readonly lastStableOffset: number
  readonly logStartOffset: number
  /**
   * Releases the chunks, so that their memory can be reused. Call `release` at most once, when
   * nothing refers to the chunks any more. Chunks that are never released are garbage collected.
   * Null if there is nothing to release.
   */
  readonly release: (() => void) | null
}

export interface OffsetAndTimestamp {
  readonly offset: number
  readonly timestamp: number
  readonly leaderEpoch: number
}

/** The state of one producer, as a DescribeProducers response contains it. */
export interface ProducerStateView {
  readonly producerId: number
  readonly producerEpoch: number
  readonly lastSequence: number
  readonly lastTimestamp: number
  readonly coordinatorEpoch: number
  /** The first offset of the producer's open transaction. -1 if no transaction is open. */
  readonly currentTxnStartOffset: number
}

/**
 * The log of one partition, stored in Apache Kafka's format. `partition-log.ts` implements this
 * interface.
 */
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
   * Whether the log was closed cleanly before this start, or is new. If so, it contains every
   * acknowledged record.
   */
  readonly openedCleanly: boolean
  /** The epoch of the log's first record. -1 if unknown. */
  readonly earliestEpoch: number
  /** Starts a leader epoch at the end of the log, and saves it in `leader-epoch-checkpoint`. */
  beginEpoch(epoch: number): void
  /**
   * Appends one or more whole batches. Resolves when they are written, and are synced if the
   * configuration requires this. Until the promise settles, the caller must not use the buffer,
   * because the log writes offsets and epochs into it. Rejects with a KafkaError, for example
   * CORRUPT_MESSAGE, MESSAGE_TOO_LARGE, OUT_OF_ORDER_SEQUENCE_NUMBER, INVALID_PRODUCER_EPOCH,
   * INVALID_TIMESTAMP, INVALID_RECORD or KAFKA_STORAGE_ERROR.
   */
  append(records: Buffer, o: AppendOptions): Promise<AppendResult>
  /**
   * Returns batches, starting with the batch that contains `offset`. The result is synchronous if
   * the tail cache contains the batches. Fails with OFFSET_OUT_OF_RANGE.
   */
  read(offset: number, maxBytes: number, o: ReadOptions): ReadResult | Promise<ReadResult>
  /**
   * Returns the approximate number of bytes that a read from `offset` to the high watermark would
   * return, at most `cap`. Does not read from disk.
   */
  bytesAvailable(offset: number, cap: number): number
  /**
   * Calls `listener` whenever the high watermark advances, and when the log is deleted or closed.
   * Returns a function that removes the listener.
   */
  onAdvance(listener: () => void): () => void
  /**
   * Returns the first record with a timestamp of at least `ts`. Returns null if no such record is
   * below `maxOffset`.
   */
  offsetForTimestamp(ts: number, o?: { maxOffset?: number }): Promise<OffsetAndTimestamp | null>
  /**
   * Returns the first record with the highest timestamp. Returns null if it is not below
   * `maxOffset`.
   */
  maxTimestampOffset(o?: { maxOffset?: number }): Promise<OffsetAndTimestamp | null>
  /**
   * Returns the largest known epoch that is at most `epoch`, and its end offset, for
   * OffsetsForLeaderEpoch. Returns -1 for both if `epoch` is newer than the latest epoch.
   */
  endOffsetForEpoch(epoch: number): { epoch: number; endOffset: number }
  /**
   * Deletes the records below `offset`, for DeleteRecords. -1 means the high watermark. Resolves to
   * the new log start offset. Fails with OFFSET_OUT_OF_RANGE.
   */
  deleteRecordsBefore(offset: number): Promise<number>
  updateConfig(config: LogConfig): void
  /** Syncs all records that are written, and advances the recovery point. */
  flush(): Promise<void>
  /**
   * Deletes segments that are too old, that exceed the retention size, or that are below the log
   * start offset. Resolves to the number of deleted segments.
   */
  runRetention(now: number): Promise<number>
  setHighWatermark(n: number): void
  producerStates(): ProducerStateView[]
  /**
   * Returns the aborted transactions that have records in [from, to), for read_committed fetches.
   */
  abortedTransactions(from: number, to: number): Promise<AbortedTransaction[]>
  close(): Promise<void>
}

export interface LogManagerOptions {
  /**
   * `log.dirs`: at least one directory. A new partition is created in the directory with the fewest
   * partitions.
   */
  readonly dirs: readonly string[]
  readonly defaults: LogConfig
  readonly logger?: Logger
  /**
   * Whether the high watermark advances with each append, because there is a single replica. If
   * false, the caller must call `setHighWatermark`. Default true.
   */
  readonly autoHighWatermark?: boolean
  /** The size of the tail cache for all partitions together, in bytes. Default 64 MiB. */
  readonly tailCacheBytes?: number
  /**
   * The maximum size of each partition's recent records in the tail cache, in bytes. Default 4 MiB.
   */
  readonly tailCacheBytesPerPartition?: number
  /**
   * The buffer pool of disk reads and of the tail cache. By default, the log manager creates a
   * pool.
   */
  readonly pool?: BufferPool
  /** `producer.id.expiration.ms`. Default 86400000. */
  readonly producerIdExpirationMs?: number
  /** The maximum number of segment files that are open at the same time. Default 2048. */
  readonly maxOpenFiles?: number
  /** `log.retention.check.interval.ms`. Default 300000. */
  readonly retentionCheckIntervalMs?: number
  /** `log.cleaner.backoff.ms`: the interval between checks for logs to compact. Default 15000. */
  readonly cleanerBackoffMs?: number
  /**
   * `log.cleaner.dedupe.buffer.size`: the maximum size of the map that contains the keys of one
   * compaction. Default 128 MiB.
   */
  readonly cleanerMapBytes?: number
  /** Returns the current time. Tests replace it. Default `Date.now`. */
  readonly now?: () => number
}

/**
 * Manages all logs of a broker. `log-manager.ts` implements this interface. Create it with
 * `LogManager.open(options)`.
 */
export interface LogManager {
  /**
   * Returns a partition's log. Opens or creates the log if necessary. `config` is the topic's
   * configuration, by default `LogManagerOptions.defaults`.
   */
  getOrCreate(topic: string, partition: number, topicId: string, config?: LogConfig): Promise<PartitionLog>
  get(topic: string, partition: number): PartitionLog | undefined
  /**
   * Removes a log: `get` no longer returns it. In the background, the suffix `-delete` is added to
   * the name of its directory, which is removed after `file.delete.delay.ms`. If `topicId` is set
   * and the log belongs to another topic, does nothing.
   */
  delete(topic: string, partition: number, topicId?: string): Promise<void>
  /**
   * Deletes all records of a log that ends before `offset`, so that its next record gets this
   * offset. Use this only if the records also exist elsewhere.
   */
  startOver(topic: string, partition: number, offset: number): Promise<PartitionLog>
  all(): PartitionLog[]
  /**
   * Runs the periodic work: retention, compaction, checkpoints and removal of deleted logs. Call
   * `tick` about once per second.
   */
  tick(now: number): Promise<void>
  /** Syncs and closes all logs, then writes the checkpoints and `.kafka_cleanshutdown`. */
  close(): Promise<void>
}
