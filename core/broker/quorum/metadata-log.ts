import { renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { messageOf } from '../../common/errors/error-table.ts'
import type { Logger } from '../../common/log.ts'
import { LeaderChangeMessage } from '../../protocol/messages/raft/control-records.ts'
import { RecordBatchBuilder } from '../../protocol/records/batch-builder.ts'
import { batchSize, HEADER_SIZE } from '../../protocol/records/batch-header.ts'
import { type DecodedBatch, readBatches } from '../../protocol/records/batch-reader.ts'
import { controlRecordKey } from '../../protocol/records/control-records.ts'
import { encodeToBuffer } from '../../protocol/schema/codec.ts'
import { brokerErrors } from '../errors.ts'
import { DEFAULT_LOG_CONFIG, NEVER } from '../log/log-config.ts'
import type { LogConfig, LogManager, PartitionLog } from '../log/types.ts'
import { EMPTY_IMAGE, type MetadataImage, type QuorumRecords } from './image.ts'
import { decodeRecord, type MetadataRecord, type UnknownRecord } from './records.ts'
import { controlRecordsOf, quorumRecordsIn, type SnapshotId, snapshotName } from './snapshot-file.ts'
import { SnapshotStore } from './snapshot-store.ts'
import { METADATA_TOPIC, METADATA_TOPIC_ID } from './topic-names.ts'

/**
 * A batch of the metadata log, as a replay reads it. A batch of control records has no `records`.
 */
export interface MetadataBatch {
  readonly lastOffset: number
  readonly epoch: number
  readonly timestamp: number
  /** The size of the batch in the log, in bytes. */
  readonly size: number
  readonly records: readonly (MetadataRecord | UnknownRecord)[]
  /** The control records about the quorum. */
  readonly quorum: Partial<QuorumRecords>
}

const READ_BYTES = 1 << 20

/**
 * The limits for segments of the metadata log: `metadata.log.segment.bytes` and
 * `metadata.log.segment.ms`.
 */
export interface MetadataLogOptions {
  readonly segmentBytes: number
  readonly segmentMs: number
  readonly logger: Logger
}

/**
 * The log settings of the metadata log. Retention is disabled, because only records that a snapshot
 * contains may be removed. Every append is synced before its records count as committed.
 */
function logConfig({ segmentBytes, segmentMs }: MetadataLogOptions): LogConfig {
  return {
    ...DEFAULT_LOG_CONFIG,
    segmentBytes,
    segmentMs,
    retentionMs: -1,
    retentionBytes: -1,
    maxMessageBytes: 8 << 20,
    messageTimestampAfterMaxMs: NEVER,
    fsync: 'group',
  }
}

/**
 * The log `__cluster_metadata-0` of a quorum with a single node. Its record batches contain records
 * in Kafka's framing (KIP-631), which `kafka-dump-log --cluster-metadata-decoder` can read.
 */
export class MetadataLog {
  #log: PartitionLog
  readonly #logs: LogManager
  readonly #nodeId: number
  readonly #logger: Logger
  readonly snapshots: SnapshotStore
  /** The size of all batches that have been replayed or written. */
  bytesSeen = 0

  private constructor(logs: LogManager, log: PartitionLog, nodeId: number, logger: Logger) {
    this.#logs = logs
    this.#log = log
    this.#nodeId = nodeId
    this.#logger = logger
    this.snapshots = new SnapshotStore(log.dir)
  }

  static async open(logs: LogManager, nodeId: number, o: MetadataLogOptions): Promise<MetadataLog> {
    const log = await logs.getOrCreate(METADATA_TOPIC, 0, METADATA_TOPIC_ID, logConfig(o))
    return new MetadataLog(logs, log, nodeId, o.logger)
  }

  get startOffset(): number {
    return this.#log.logStartOffset
  }

  get sizeInBytes(): number {
    return this.#log.sizeInBytes
  }

  get endOffset(): number {
    return this.#log.logEndOffset
  }

  /**
   * Returns the image of the newest usable snapshot. The log must be replayed from that image.
   * Throws MR_BROKER_METADATA_SNAPSHOT if a snapshot is missing or damaged and the log does not
   * contain all its records. Topics would otherwise be lost.
   */
  async restore(): Promise<MetadataImage> {
    await this.snapshots.removeLeftovers()
    const newest = this.snapshots.list().at(-1)?.endOffset ?? 0
    const { image, damaged } = await this.#newestSnapshot()
    const { logStartOffset: start, logEndOffset: end } = this.#log
    const next = image.offset + 1
    const problem = damaged[0] && `the snapshot ${snapshotName(damaged[0].id)} is unreadable: ${damaged[0].cause}`
    if (next < start)
      throw this.#incomplete(
        `starts at offset ${start}, but ${problem ?? 'the snapshot of the earlier records is missing'}`,
      )
    if (Math.max(next, end) < newest)
      throw this.#incomplete(`ends at offset ${end}, before its newest snapshot at ${newest}, but ${problem}`)
    for (const { id } of damaged) await this.snapshots.markDamaged(id)
    if (problem)
      this.#logger.warn(`${this.#log.dir}: ${problem}. It was renamed to .damaged. The log is complete without it`)
    // The log has lost its end, but the snapshot contains the lost records. New records must follow
    // the snapshot.
    if (next > end) this.#log = await this.#logs.startOver(METADATA_TOPIC, 0, next)
    return image
  }

  /**
   * Loads the newest snapshot that can be read. Ignores snapshots that end before the log's start,
   * because records would be missing.
   */
  async #newestSnapshot(): Promise<{ image: MetadataImage; damaged: { id: SnapshotId; cause: string }[] }> {
    const damaged: { id: SnapshotId; cause: string }[] = []
    const ids = this.snapshots.list().filter(id => id.endOffset >= this.#log.logStartOffset)
    for (const id of ids.reverse()) {
      try {
        return { image: await this.snapshots.load(id), damaged }
      } catch (error) {
        damaged.push({ id, cause: messageOf(error) })
      }
    }
    return { image: EMPTY_IMAGE, damaged }
  }

  #incomplete(what: string) {
    return brokerErrors.create('MR_BROKER_METADATA_SNAPSHOT', { dir: this.#log.dir, what })
  }

  /**
   * Removes the records before an offset. A snapshot must contain these records. Only whole
   * segments are removed.
   */
  async trim(offset: number): Promise<void> {
    if (offset > this.#log.logStartOffset) await this.#log.deleteRecordsBefore(offset)
  }

  /** Yields all batches from an offset on. Throws MR_BROKER_METADATA_CORRUPT. */
  async *replay(from: number): AsyncGenerator<MetadataBatch> {
    let offset = from
    while (offset < this.#log.logEndOffset) {
      const { chunks } = await this.#log.read(offset, READ_BYTES, { upTo: 'logEnd', minOneBatch: true })
      const bytes = chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)
      const before = offset
      for (const batch of this.#batches(bytes, offset)) {
        offset = batch.lastOffset + 1
        this.bytesSeen += batch.size
        yield batch
      }
      if (offset === before) throw this.#corrupt(offset, 'no batch exists at this offset')
    }
  }

  *#batches(bytes: Buffer, at: number): Generator<MetadataBatch> {
    let offset = at
    try {
      for (const batch of readBatches(bytes, { checkCrc: true })) {
        const lastOffset = batch.baseOffset + batch.lastOffsetDelta
        if (lastOffset < at) continue
        if (batch.baseOffset > offset)
          throw new RangeError(`the records from offset ${offset} to ${batch.baseOffset - 1} are missing`)
        offset = lastOffset + 1
        yield {
          lastOffset,
          epoch: batch.leaderEpoch,
          timestamp: batch.maxTimestamp,
          size: batch.size,
          records: recordsOf(batch),
          quorum: batch.isControl ? quorumRecordsIn(controlRecordsOf(batch)) : {},
        }
      }
    } catch (cause) {
      throw this.#corrupt(offset, messageOf(cause), cause)
    }
  }

  #corrupt(offset: number, what: string, cause?: unknown) {
    return brokerErrors.create('MR_BROKER_METADATA_CORRUPT', { dir: this.#log.dir, offset, cause: what }, { cause })
  }

  /**
   * Writes records as one batch. Resolves with the offset of the last record when they are on disk.
   */
  async append(records: readonly MetadataRecord[], epoch: number, now: number): Promise<number> {
    const size = records.reduce((n, r) => n + r.bytes.length + 16, HEADER_SIZE)
    const builder = new RecordBatchBuilder({ initialSize: size })
    for (const r of records) builder.append(null, r.bytes, now)
    return this.#write(builder.build(), epoch)
  }

  /**
   * Writes the control record with which this node becomes the leader in a new epoch, as after an
   * election.
   */
  async appendLeaderChange(epoch: number, now: number): Promise<number> {
    const builder = new RecordBatchBuilder({ control: true, initialSize: 128 })
    const voters = [{ voterId: this.#nodeId }]
    const value = { version: 0, leaderId: this.#nodeId, voters, grantingVoters: voters }
    builder.append(controlRecordKey('leader-change'), encodeToBuffer(LeaderChangeMessage, 0, value), now)
    this.#writeQuorumState(epoch)
    return this.#write(builder.build(), epoch)
  }

  async #write(batch: Buffer, leaderEpoch: number): Promise<number> {
    if (batchSize(batch, 0) !== batch.length) throw new RangeError('a new metadata batch has an invalid size')
    const { lastOffset } = await this.#log.append(batch, { origin: 'coordinator', leaderEpoch })
    this.bytesSeen += batch.length
    return lastOffset
  }

  /**
   * Writes the file `quorum-state` with the leader and its epoch, in version 0 of Kafka's JSON
   * format.
   */
  #writeQuorumState(leaderEpoch: number): void {
    const path = join(this.#log.dir, 'quorum-state')
    const state = {
      clusterId: '',
      leaderId: this.#nodeId,
      leaderEpoch,
      votedId: -1,
      appliedOffset: 0,
      currentVoters: [{ voterId: this.#nodeId }],
      data_version: 0,
    }
    writeFileSync(`${path}.tmp`, JSON.stringify(state), { flush: true })
    renameSync(`${path}.tmp`, path)
  }
}

function recordsOf(batch: DecodedBatch): (MetadataRecord | UnknownRecord)[] {
  if (batch.isControl) return []
  return batch.records().map(r => {
    if (r.value === null) throw new RangeError(`the record at ${r.offset} has no value`)
    return decodeRecord(r.value)
  })
}
