import { renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { messageOf } from '../../common/errors/error-table.ts'
import { LeaderChangeMessage } from '../../protocol/messages/raft/control-records.ts'
import { RecordBatchBuilder } from '../../protocol/records/batch-builder.ts'
import { batchSize, HEADER_SIZE } from '../../protocol/records/batch-header.ts'
import { type DecodedBatch, readBatches } from '../../protocol/records/batch-reader.ts'
import { controlRecordKey } from '../../protocol/records/control-records.ts'
import { encodeToBuffer } from '../../protocol/schema/codec.ts'
import { brokerErrors } from '../errors.ts'
import { DEFAULT_LOG_CONFIG, NEVER } from '../log/log-config.ts'
import type { LogConfig, LogManager, PartitionLog } from '../log/types.ts'
import { decodeRecord, type MetadataRecord, type UnknownRecord } from './records.ts'
import { METADATA_TOPIC, METADATA_TOPIC_ID } from './topic-names.ts'

/** A batch of the metadata log as replayed: no records where it only held control records. */
export interface MetadataBatch {
  readonly lastOffset: number
  readonly epoch: number
  readonly records: readonly (MetadataRecord | UnknownRecord)[]
}

const READ_BYTES = 1 << 20

/** The settings of the metadata log's files: kept for ever, on disk before it is believed. */
function logConfig(segmentBytes: number): LogConfig {
  return {
    ...DEFAULT_LOG_CONFIG,
    segmentBytes,
    segmentMs: NEVER,
    retentionMs: -1,
    retentionBytes: -1,
    maxMessageBytes: 8 << 20,
    messageTimestampAfterMaxMs: NEVER,
    fsync: 'group',
  }
}

/**
 * `__cluster_metadata-0`, the log that a quorum of one writes: Kafka's record framing (KIP-631) in record batches, read by
 * `kafka-dump-log --cluster-metadata-decoder`.
 */
export class MetadataLog {
  readonly #log: PartitionLog
  readonly #nodeId: number

  private constructor(log: PartitionLog, nodeId: number) {
    this.#log = log
    this.#nodeId = nodeId
  }

  static async open(logs: LogManager, nodeId: number, segmentBytes: number): Promise<MetadataLog> {
    const log = await logs.getOrCreate(METADATA_TOPIC, 0, METADATA_TOPIC_ID, logConfig(segmentBytes))
    return new MetadataLog(log, nodeId)
  }

  get endOffset(): number {
    return this.#log.logEndOffset
  }

  /** All batches from an offset on. Throws MR_BROKER_METADATA_CORRUPT. */
  async *replay(from: number): AsyncGenerator<MetadataBatch> {
    let offset = Math.max(from, this.#log.logStartOffset)
    while (offset < this.#log.logEndOffset) {
      const { chunks } = await this.#log.read(offset, READ_BYTES, { upTo: 'logEnd', minOneBatch: true })
      const bytes = chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)
      const before = offset
      for (const batch of this.#batches(bytes, offset)) {
        offset = batch.lastOffset + 1
        yield batch
      }
      if (offset === before) throw this.#corrupt(offset, 'the log has no batch there')
    }
  }

  *#batches(bytes: Buffer, at: number): Generator<MetadataBatch> {
    let offset = at
    try {
      for (const batch of readBatches(bytes, { checkCrc: true })) {
        offset = batch.baseOffset
        if (offset + batch.lastOffsetDelta < at) continue
        yield { lastOffset: offset + batch.lastOffsetDelta, epoch: batch.leaderEpoch, records: recordsOf(batch) }
      }
    } catch (cause) {
      throw this.#corrupt(offset, messageOf(cause), cause)
    }
  }

  #corrupt(offset: number, what: string, cause?: unknown) {
    return brokerErrors.create('MR_BROKER_METADATA_CORRUPT', { dir: this.#log.dir, offset, cause: what }, { cause })
  }

  /** Writes records as one batch, on disk when it resolves. Gives the offset of the last one. */
  async append(records: readonly MetadataRecord[], epoch: number, now: number): Promise<number> {
    const size = records.reduce((n, r) => n + r.bytes.length + 16, HEADER_SIZE)
    const builder = new RecordBatchBuilder({ initialSize: size })
    for (const r of records) builder.append(null, r.bytes, now)
    return this.#write(builder.build(), epoch)
  }

  /** Writes that this node leads from now on, in an epoch of its own: what an election ends with. */
  async appendLeaderChange(epoch: number, now: number): Promise<number> {
    const builder = new RecordBatchBuilder({ control: true, initialSize: 128 })
    const voters = [{ voterId: this.#nodeId }]
    const value = { version: 0, leaderId: this.#nodeId, voters, grantingVoters: voters }
    builder.append(controlRecordKey('leader-change'), encodeToBuffer(LeaderChangeMessage, 0, value), now)
    this.#writeQuorumState(epoch)
    return this.#write(builder.build(), epoch)
  }

  async #write(batch: Buffer, leaderEpoch: number): Promise<number> {
    if (batchSize(batch, 0) !== batch.length) throw new RangeError('a metadata batch of a wrong size was built')
    const { lastOffset } = await this.#log.append(batch, { origin: 'coordinator', leaderEpoch })
    return lastOffset
  }

  /** `quorum-state`, in Kafka's JSON, version 0: who leads, and in which epoch. */
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
