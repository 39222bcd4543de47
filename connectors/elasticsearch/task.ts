import {
  isRetriable,
  messageOf,
  RetriableError,
  type SinkRecord,
  SinkTask,
  type TopicPartition,
  type TopicPartitionOffset,
} from 'millrace/connect'
import type { BulkItem } from './bulk-request.ts'
import { BulkWriter } from './bulk-writer.ts'
import { ElasticsearchClient } from './client.ts'
import type { config, ElasticsearchConfig } from './config.ts'
import { DocumentWriter, isDocument } from './document.ts'
import { documentId, documentVersion } from './document-id.ts'
import { errors } from './errors.ts'
import { isRefusedLogin } from './failures.ts'
import { PendingOffsets } from './pending-offsets.ts'
import { readSettings, type Settings } from './settings.ts'
import { Targets } from './targets.ts'

/** An item whose record has not been added to the unfinished records yet. */
type Draft = Omit<BulkItem, 'slot'>

/** The interval between checks of an unavailable Elasticsearch. */
const LOOK_AGAIN_MS = 2000
/** How long a stop waits for items to be written, so that they need not be delivered again. */
const STOP_FLUSH_MS = 2000
/** How long a rebalance waits for the requests in flight. */
const DROP_WAIT_MS = 3000
/** How long a stop waits for the requests in flight, after STOP_FLUSH_MS. */
const STOP_DROP_WAIT_MS = 500

/**
 * Writes records as documents, in bulk and asynchronously. `preCommit` returns only acknowledged
 * offsets.
 */
export class ElasticsearchSinkTask extends SinkTask<typeof config> {
  #settings!: Settings
  #client: ElasticsearchClient | null = null
  #targets!: Targets
  #writer!: BulkWriter
  #documents!: DocumentWriter
  readonly #pending = new PendingOffsets()
  /** The error that fails the task. */
  #ending: Error | null = null

  override start(raw: ElasticsearchConfig): void {
    const settings = readSettings(raw, this.context.configs)
    const { logger } = this.context
    this.#settings = settings
    this.#client = new ElasticsearchClient(settings.raw, logger)
    this.#targets = new Targets(this.#client, settings, logger)
    this.#documents = new DocumentWriter(settings)
    this.#writer = new BulkWriter({
      client: this.#client,
      settings,
      targets: this.#targets,
      pending: this.#pending,
      onRefused: (record, error) => this.#onRefused(record, error),
      logger,
    })
  }

  override async put(records: SinkRecord[]): Promise<void> {
    try {
      await this.#take(records)
    } catch (error) {
      // After a retriable error of `put`, the runtime only repeats the call. An error of
      // `preCommit` restarts the task, which then reads new credentials.
      if (isRefusedLogin(error)) {
        this.#ending = error as Error
        this.context.requestCommit()
      }
      throw error
    }
  }

  async #take(records: readonly SinkRecord[]): Promise<void> {
    if (this.#writer.failure) throw this.#refusal(this.#writer.failure)
    if (records.length === 0) return
    const { raw } = this.#settings
    // Adds no record before all targets are ready, because a rejected batch is delivered again as a
    // whole.
    await this.#prepareTargets(records)
    const room = {
      records: Math.max(0, raw['max.buffered.records'] - records.length),
      bytes: raw['max.buffered.bytes'],
    }
    if (!(await this.#writer.until(room, raw['flush.timeout.ms'], this.context.signal))) {
      const late = `no space for ${records.length} records within flush.timeout.ms (${raw['flush.timeout.ms']} ms)`
      throw this.#refusal(this.#writer.failure ?? new RetriableError(late))
    }
    // Converts only after the wait for space. If the wait times out, the batch is delivered again,
    // and its invalid records would be reported twice.
    const drafts = await this.#draftsOf(records)
    for (const draft of drafts) this.#writer.add({ ...draft, slot: this.#pending.take(draft.record) })
  }

  #refusal(error: Error): Error {
    this.context.timeout(LOOK_AGAIN_MS)
    return error
  }

  override async preCommit(offsets: readonly TopicPartitionOffset[]): Promise<readonly TopicPartitionOffset[]> {
    if (this.#ending) throw this.#ending
    this.#writer.flush()
    const { raw } = this.#settings
    const nothing = { records: 0, bytes: 0 }
    const { signal } = this.context
    if (signal.aborted) await this.#writer.until(nothing, STOP_FLUSH_MS)
    else if (raw['flush.synchronously']) await this.#writer.until(nothing, raw['flush.timeout.ms'], signal)
    const { failure } = this.#writer
    if (failure && (!isRetriable(failure) || isRefusedLogin(failure))) throw failure
    return this.#pending.safe(offsets)
  }

  override async close(partitions: readonly TopicPartition[]): Promise<void> {
    await this.#writer.drop(partitions, this.context.signal.aborted ? STOP_DROP_WAIT_MS : DROP_WAIT_MS)
  }

  override async stop(): Promise<void> {
    await this.#writer?.close()
    await this.#client?.close()
    this.#client = null
  }

  async #prepareTargets(records: readonly SinkRecord[]): Promise<void> {
    for (const record of records) {
      if (!isDocument(record) || this.#targets.isReady(record)) continue
      await this.#targets.prepare(record, this.context.signal)
    }
  }

  /**
   * Converts records to items. Leaves out records that the configuration skips, and records that
   * cannot be documents.
   */
  async #draftsOf(records: readonly SinkRecord[]): Promise<Draft[]> {
    const drafts: Draft[] = []
    for (const record of records) {
      try {
        if (this.#isWanted(record)) drafts.push(this.#build(record))
      } catch (error) {
        await this.#onInvalid(record, error as Error)
      }
    }
    return drafts
  }

  /** Whether a record must be written. Throws MR_ES_NULL. */
  #isWanted(record: SinkRecord): boolean {
    if (record.value !== null && record.value !== undefined) return true
    const { nullValues } = this.#settings
    if (nullValues === 'delete') return !this.#hasNoIdOfItsOwn(record)
    if (nullValues === 'ignore') return false
    const { originalTopic: topic, originalPartition: partition, originalOffset: offset } = record
    throw errors.create('MR_ES_NULL', { topic, partition, offset })
  }

  /** Handles a record that cannot be a document. */
  async #onInvalid(record: SinkRecord, error: Error): Promise<void> {
    const reporter = this.context.errantRecordReporter
    if (reporter) await reporter.report(record, error)
    else if (!this.#settings.raw['drop.invalid.message']) throw error
    else this.context.logger.warn(`dropped a record: ${messageOf(error)}`)
  }

  /**
   * Whether the key of a record names no document: the key is null or ignored, or Elasticsearch
   * generates the ids. A tombstone with such a key is skipped.
   */
  #hasNoIdOfItsOwn(record: SinkRecord): boolean {
    return record.key === null || this.#settings.ignoresKey(record.topic) || this.#settings.raw['use.autogenerated.ids']
  }

  #build(record: SinkRecord): Draft {
    const settings = this.#settings
    const index = this.#targets.nameOf(record.topic)
    const id = documentId(record, settings)
    const version = documentVersion(record, settings)
    let head = `"_index":${JSON.stringify(index)}`
    if (id !== null) head += `,"_id":${JSON.stringify(id)}`
    // Of two records with the same timestamp, the later record wins.
    const isExact = settings.versions !== 'timestamp'
    if (version !== null) head += `,"version":${version},"version_type":"${isExact ? 'external' : 'external_gte'}"`
    const { op, lines } = this.#linesOf(record, head)
    const exclusive = id !== null && (version === null || !isExact)
    return { record, index, id, version, lines, bytes: Buffer.byteLength(lines), op, exclusive }
  }

  #linesOf(record: SinkRecord, head: string): Pick<BulkItem, 'op' | 'lines'> {
    const { dataStream, upsert, raw } = this.#settings
    if (record.value === null || record.value === undefined) return { op: 'delete', lines: `{"delete":{${head}}}\n` }
    const json = this.#documents.write(record)
    if (dataStream || !upsert) {
      const op = dataStream ? 'create' : 'index'
      return { op, lines: `{"${op}":{${head}}}\n${json}\n` }
    }
    const conflicts = Math.min(raw['max.in.flight.requests'], 5)
    const lines = `{"update":{${head},"retry_on_conflict":${conflicts}}}\n{"doc":${json},"doc_as_upsert":true}\n`
    return { op: 'update', lines }
  }

  /** Handles a document that Elasticsearch rejected permanently. */
  async #onRefused(record: SinkRecord, error: Error): Promise<void> {
    const { malformed, malformedIsSet } = this.#settings
    const reporter = this.context.errantRecordReporter
    await reporter?.report(record, error)
    // If there is a dead letter queue, the task fails only if the user has set FAIL explicitly.
    if (malformed === 'fail' && (malformedIsSet || !reporter)) throw error
    if (malformed === 'warn') this.context.logger.warn(messageOf(error))
  }
}
