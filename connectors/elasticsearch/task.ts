import {
  isRetriable,
  messageOf,
  type Props,
  RetriableError,
  type SinkRecord,
  SinkTask,
  type TopicPartitionOffset,
} from '../../core/connect/index.ts'
import type { BulkItem } from './bulk-request.ts'
import { BulkWriter } from './bulk-writer.ts'
import { DocumentWriter, documentId, documentVersion, withTimestamp } from './document.ts'
import { errors } from './errors.ts'
import { ElasticsearchHttp } from './http.ts'
import { PendingOffsets } from './pending-offsets.ts'
import { readSettings, type Settings } from './settings.ts'
import { Targets } from './targets.ts'
import { version } from './version.ts'

/** An item that was not taken yet. */
type Draft = Omit<BulkItem, 'slot'>

/** Writes records as documents, in bulk and asynchronously: `preCommit` holds back to what Elasticsearch has acknowledged. */
export class ElasticsearchSinkTask extends SinkTask {
  readonly version = version
  #settings!: Settings
  #http: ElasticsearchHttp | null = null
  #targets!: Targets
  #writer!: BulkWriter
  #documents!: DocumentWriter
  #pending = new PendingOffsets()

  override start(props: Props): void {
    const settings = readSettings(props)
    const { logger } = this.context
    this.#settings = settings
    this.#http = new ElasticsearchHttp(settings.raw)
    this.#targets = new Targets(this.#http, settings, logger)
    this.#documents = new DocumentWriter(settings.raw['compact.map.entries'])
    this.#writer = this.#newWriter()
  }

  #newWriter(): BulkWriter {
    const onRefused = (record: SinkRecord, error: Error) => this.#onRefused(record, error)
    const { logger } = this.context
    return new BulkWriter({
      http: this.#http!,
      settings: this.#settings,
      targets: this.#targets,
      pending: this.#pending,
      onRefused,
      logger,
    })
  }

  override async put(records: SinkRecord[]): Promise<void> {
    if (this.#writer.failure) throw this.#writer.failure
    if (records.length === 0) return
    const { raw } = this.#settings
    // all of the batch or nothing: a batch that is refused is delivered again whole
    await this.#prepareTargets(records)
    const drafts = await this.#draftsOf(records)
    const most = Math.max(0, raw['max.buffered.records'] - records.length)
    if (!(await this.#writer.until(most, raw['flush.timeout.ms'], this.context.signal))) {
      throw (
        this.#writer.failure ??
        new RetriableError(
          `no room for ${records.length} records within flush.timeout.ms (${raw['flush.timeout.ms']} ms)`,
        )
      )
    }
    for (const draft of drafts) this.#writer.add({ ...draft, slot: this.#pending.take(draft.record) })
  }

  override async preCommit(offsets: readonly TopicPartitionOffset[]): Promise<readonly TopicPartitionOffset[]> {
    this.#writer.seal()
    if (this.#settings.raw['flush.synchronously']) {
      await this.#writer.until(0, this.#settings.raw['flush.timeout.ms'], this.context.signal)
    }
    const { failure } = this.#writer
    if (failure && !isRetriable(failure)) throw failure
    return this.#pending.safe(offsets)
  }

  /** Partitions go: what is held of them is dropped, since their next owner writes it again. */
  override async close(): Promise<void> {
    await this.#writer.close()
    this.#pending = new PendingOffsets()
    this.#writer = this.#newWriter()
  }

  override async stop(): Promise<void> {
    await this.#writer?.close()
    await this.#http?.close()
    this.#http = null
  }

  async #prepareTargets(records: readonly SinkRecord[]): Promise<void> {
    for (const record of records) {
      if (record.value === null || this.#targets.isReady(record.topic, record.valueSchema)) continue
      await this.#targets.prepare(record.topic, record.valueSchema, this.context.signal)
    }
  }

  /** The records as items of a bulk request, without those that are none by configuration or cannot be one. */
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

  /** Whether the record is to be written at all. Throws MR_ES_NULL. */
  #isWanted(record: SinkRecord): boolean {
    if (record.value !== null && record.value !== undefined) return true
    const { nullValues } = this.#settings
    if (nullValues === 'delete') return !this.#hasNoIdOfItsOwn(record)
    if (nullValues === 'ignore') return false
    const { originalTopic: topic, originalPartition: partition, originalOffset: offset } = record
    throw errors.create('MR_ES_NULL', { topic, partition, offset })
  }

  /** A record that cannot be made a document. */
  async #onInvalid(record: SinkRecord, error: Error): Promise<void> {
    const reporter = this.context.errantRecordReporter
    if (reporter) await reporter.report(record, error)
    else if (!this.#settings.raw['drop.invalid.message']) throw error
    else this.context.logger.warn(`dropped a record: ${messageOf(error)}`)
  }

  /** A tombstone deletes by key: without one it says nothing. */
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
    if (version !== null) head += `,"version":${version},"version_type":"external"`
    let op: BulkItem['op']
    let lines: string
    if (record.value === null || record.value === undefined) {
      op = 'delete'
      lines = `{"delete":{${head}}}\n`
    } else {
      let json = this.#documents.write(record)
      if (settings.dataStream) json = withTimestamp(json, record, settings)
      op = settings.dataStream ? 'create' : settings.upsert ? 'update' : 'index'
      if (op === 'update') {
        head += `,"retry_on_conflict":${Math.min(settings.raw['max.in.flight.requests'], 5)}`
        json = `{"doc":${json},"doc_as_upsert":true}`
      }
      lines = `{"${op}":{${head}}}\n${json}\n`
    }
    return {
      record,
      index,
      id,
      lines,
      bytes: Buffer.byteLength(lines),
      op,
      ordered: version !== null || id === null,
    }
  }

  /** A document that Elasticsearch refused for good. */
  async #onRefused(record: SinkRecord, error: Error): Promise<void> {
    const { malformed, malformedIsSet } = this.#settings
    const reporter = this.context.errantRecordReporter
    await reporter?.report(record, error)
    // who asked for a dead letter queue and said nothing else wants the pipeline to go on
    if (malformed === 'fail' && (malformedIsSet || !reporter)) throw error
    if (malformed === 'warn') this.context.logger.warn(messageOf(error))
  }
}
