import {
  type Header,
  isRetriable,
  type Logger,
  messageOf,
  type SourceOffset,
  type SourceRecord,
  sleep,
} from 'millrace/connect'
import { type Heartbeat, nowMicros, TransactionMetadata } from '../cdc/index.ts'
import { tellingBlocked } from './blocked.ts'
import { Catalog } from './catalog/catalog.ts'
import type { TableEntry } from './catalog/tables.ts'
import { errors } from './errors.ts'
import { formatLsn, type Lsn, parseLsn, ZERO } from './lsn.ts'
import { confirmableBy, type LoadedOffset, loadOffset, type SnapshotProgress, snapshotOffset } from './offset.ts'
import type { PostgresOptions } from './options.ts'
import { checkOnward, type Plan, planStart } from './plan.ts'
import { PublicationKeeper } from './publication-keeper.ts'
import { publicationFor, snapshotTables } from './published.ts'
import * as server from './server.ts'
import { wrongSlot } from './server.ts'
import type { ShapeCache } from './shape-cache.ts'
import { missingFrom, settledSlot, whenFree } from './slot-access.ts'
import { lockTables, openTransaction, planTables, type SnapshotTransaction } from './snapshot/open-snapshot.ts'
import { SnapshotReader } from './snapshot/snapshot-reader.ts'
import type { SourceBlocks } from './source-block.ts'
import { Emitter } from './stream/emitter.ts'
import { FlushTracker, StreamPosition } from './stream/position.ts'
import { ReplicationStream } from './stream/replication-stream.ts'
import { StreamReader } from './stream/stream-reader.ts'
import { formatWalId, readWal, streamedFrom, type WalState } from './wal-state.ts'

/** How long a server that shuts down may wait for what was given to be committed. Milliseconds. */
const SHUTDOWN_GRACE_MS = 1000

export interface SessionContext {
  readonly options: PostgresOptions
  readonly logger: Logger
  readonly signal: AbortSignal
  readonly shapes: ShapeCache
  readonly sources: SourceBlocks
  readonly headers: readonly Header[]
  readonly heartbeat: Heartbeat
  readonly committed: LoadedOffset | null
  /** What is waited for, for the status of the task. */
  readonly waits: (message: string, retryAt: number) => void
}

/**
 * What a task does between its start and its stop, over as many connections as it takes. The phases are: catching up (only when
 * the slot is older than the snapshot), reading the tables, streaming.
 *
 * A snapshot that does not begin with a new slot first streams what the slot holds up to the moment that the snapshot sees. So
 * what happened between an interrupted snapshot and the next one becomes events, deletes among them, before the rows are read
 * again: nothing that was deleted stays, and no row's older state follows a newer one.
 */
export class Session {
  readonly #context: SessionContext
  readonly #catalog: Catalog
  readonly #flush: FlushTracker
  readonly #transaction: TransactionMetadata | null
  readonly #emitter: Emitter
  #connected = false
  #plan: Plan | null = null
  /** Where the task began; what it goes on from until a record was given. */
  #start: LoadedOffset | { lsn: Lsn; txId: null; micros: number } | null = null
  /** The server's WAL state at the current connection. */
  #wal: WalState | null = null
  /** Where the slot was confirmed at the start. */
  #slotFloor: Lsn = ZERO
  /** When the next offset without a record may be emitted, for WAL with nothing to capture. */
  #idleAt = 0
  /** The position whose commit was requested. */
  #pressedFor: Lsn = ZERO
  /** The offset of the last record that was given: what a new connection goes on from, as a new task would from a committed one. */
  #given: SourceOffset | null = null
  /** The end of the last whole transaction of that offset. */
  #givenLsn: Lsn = ZERO
  #position: StreamPosition | null = null
  /** How far the snapshot got; null when none runs. */
  #progress: SnapshotProgress | 'begin' | null = null
  #stream: ReplicationStream | null = null
  #reader: StreamReader | null = null
  #moment: SnapshotTransaction | null = null
  #target: Lsn = ZERO
  #snapshot: SnapshotReader | null = null
  #xmin: number | null = null
  #xminAt = 0
  #version = 0
  /** How long to wait yet between the last row of the snapshot and streaming. */
  #streamDelayMs = 0
  readonly #publication: PublicationKeeper

  constructor(context: SessionContext) {
    const { options, signal, headers } = context
    this.#context = context
    this.#catalog = new Catalog(options, signal)
    this.#catalog.onTerminated = () => void this.#leaveAtShutdown()
    this.#publication = new PublicationKeeper(context, this.#catalog)
    this.#flush = new FlushTracker(options.slot.flush)
    this.#transaction = options.transactionMetadata ? new TransactionMetadata() : null
    this.#emitter = new Emitter({ server: options.prefix }, headers, options.tombstones, options.values.binary)
  }

  /** Connects what is not connected. What was given already is not given again. */
  async connect(): Promise<void> {
    if (this.#connected) return
    const { options } = this.#context
    const info = await server.serverInfo(this.#catalog)
    this.#version = info.version
    if (info.version < 100_000) throw errors.create('MR_PG_UNSUPPORTED', { version: info.version })
    const tables = await this.#catalog.tables()
    this.#guard(tables)
    const slot = await settledSlot(this.#context, this.#catalog)
    // first: without it slots are of no use, and are gone as well
    if (options.snapshot.mode !== 'initial_only' && info.walLevel !== 'logical')
      throw errors.create('MR_PG_WAL_LEVEL', { level: info.walLevel })
    this.#wal = options.snapshot.mode === 'initial_only' ? null : await this.#readWal()
    const found = { offset: this.#onward(), slot, wal: this.#wal }
    const missing = await missingFrom(this.#context, this.#version, found)
    const plan = this.#plan ?? this.#firstPlan(slot, missing)
    if (this.#plan !== null && slot !== null && this.#wal !== null) this.#checkAgain(slot, this.#wal, missing)
    const isFirst = this.#plan === null
    if (slot?.confirmedLsn && !(isFirst && plan.dropSlot)) this.#flush.confirmed(slot.confirmedLsn)
    const readOnly = this.#wal?.inRecovery ?? false
    if (plan.stream) await this.#publication.prepare(tables, { version: info.version, readOnly }, isFirst)
    if (plan.dropSlot && isFirst) await server.dropSlot(this.#catalog, options.slot.name)
    await this.#begin(plan, slot, tables)
    this.#connected = true
  }

  #guard(tables: readonly TableEntry[]): void {
    const { options, logger } = this.#context
    const { max, fail } = options.guardrail
    if (tables.length === 0)
      logger.warn(
        `no table matches the configuration yet (${options.connection.database}): nothing is captured until one does`,
      )
    if (max === 0 || tables.length <= max) return
    const failure = errors.create('MR_PG_TOO_MANY_TABLES', { count: tables.length, max })
    if (fail) throw failure
    logger.warn(failure.message)
  }

  /**
   * The offset from which a new connection resumes: of the last record emitted, or else of the
   * start.
   */
  #onward(): LoadedOffset | null {
    if (this.#given !== null) return loadOffset(this.#given)
    const start = this.#start
    if (start === null) return this.#context.committed
    const raw = 'raw' in start ? start.raw : { lsn: start.lsn }
    return loadOffset({ wal_id: this.#position?.walId ?? null, ...raw })
  }

  #readWal(): Promise<WalState> {
    const { options, signal } = this.#context
    return readWal(options, this.#onward()?.walId ?? null, signal)
  }

  /** The server may be another one since the last connection, and the slot may have been moved. */
  #checkAgain(slot: server.SlotState, wal: WalState, missing: string | null): void {
    const { name } = this.#context.options.slot
    const failure = checkOnward(name, { offset: this.#onward()!, slot, wal, missing }, this.#slotFloor)
    if (failure) throw failure
  }

  #firstPlan(slot: server.SlotState | null, missing: string | null): Plan {
    const { options, committed, logger } = this.#context
    const wrong = slot && options.snapshot.mode !== 'initial_only' ? wrongSlot(options, slot) : null
    if (wrong) throw wrong
    const { name, mismatch, flush, dropOnStop } = options.slot
    const start = { mode: options.snapshot.mode, slotName: name, mismatch, flush, dropOnStop }
    const plan = planStart(start, { offset: committed, slot, wal: this.#wal, missing })
    if (plan instanceof Error) throw plan
    for (const warning of plan.warnings) logger.warn(warning)
    for (const note of plan.notes) logger.info(note)
    return plan
  }

  async #begin(plan: Plan, slot: server.SlotState | null, tables: readonly TableEntry[]): Promise<void> {
    const { options, logger, signal } = this.#context
    let created: server.CreatedSlot | null = null
    if (this.#plan === null && plan.createSlot) {
      const { name } = options.slot
      const making = server.createSlot(options, this.#version, signal)
      created = await tellingBlocked(this.#context, `creating replication slot ${name}`, () => ({ slot: name }), making)
      logger.info(`made replication slot ${options.slot.name} at ${formatLsn(created.lsn)}`)
    } else if (plan.stream && slot === null) {
      throw errors.create('MR_PG_SLOT_MISSING', {
        slot: options.slot.name,
        why: '',
        since: `the offset ${formatLsn(this.#position?.startLsn() ?? ZERO)}`,
      })
    }
    try {
      if (this.#plan === null) this.#enter(plan, slot, created)
      else this.#reenter()
      if (plan.stream && created === null) await this.#startStream()
      if (this.#progress !== null) await this.#openSnapshot(created, tables)
    } finally {
      created?.release()
    }
    if (plan.stream && this.#reader === null) await this.#startStream()
  }

  /** Sets the task's state for its first connection. */
  #enter(plan: Plan, slot: server.SlotState | null, created: server.CreatedSlot | null): void {
    const { from } = plan
    this.#start = from ?? { lsn: created?.lsn ?? slot?.confirmedLsn ?? ZERO, txId: null, micros: nowMicros() }
    this.#position = this.#positionAt(this.#start)
    this.#givenLsn = this.#position.startLsn()
    this.#slotFloor = created?.lsn ?? slot?.confirmedLsn ?? ZERO
    if (from) this.#transaction?.load(from.raw)
    // rows that were read before a slot was made anew may have changed unseen: read them again
    const same = from !== null && (slot?.confirmedLsn ?? ZERO) <= this.#position.startLsn()
    if (plan.snapshot) this.#progress = (same && from.inSnapshot ? from.progress : null) ?? 'begin'
    this.#plan = plan
  }

  #positionAt(from: LoadedOffset | { lsn: Lsn; txId: null; micros: number }): StreamPosition {
    const position = new StreamPosition(from)
    position.walId = this.#wal === null ? null : formatWalId(streamedFrom(this.#wal))
    return position
  }

  /** Sets it for another connection: to where the last given record left it. What was decoded and not given is decoded again. */
  #reenter(): void {
    if (this.#given === null) {
      this.#position = this.#positionAt(this.#start!)
      return
    }
    const given = loadOffset(this.#given)
    this.#position = this.#positionAt(given)
    this.#transaction?.load(given.raw)
    if (this.#progress !== null) this.#progress = given.progress ?? 'begin'
  }

  async #startStream(): Promise<void> {
    const { options, logger, signal } = this.#context
    const position = this.#position!
    const from = position.startLsn()
    const start = { serverVersion: this.#version, from, wal: this.#wal!, flush: this.#flush, signal }
    this.#stream = await whenFree(this.#context, () => ReplicationStream.start(options, start))
    const { shapes, sources, heartbeat } = this.#context
    this.#reader = new StreamReader(this.#stream, position, this.#transaction, {
      options,
      logger,
      shapes,
      sources,
      heartbeat,
      catalog: this.#catalog,
      emitter: this.#emitter,
      xmin: () => this.#xmin,
      extra: () => this.#snapshotMark(),
      // the snapshot already contains these changes
      publicationSkipped: async message => {
        if (!this.#makeSnapshot) await this.#publication.skipped(message)
      },
    })
    logger.info(`streaming from ${formatLsn(from)} of slot ${options.slot.name}`)
  }

  /** What offsets of the stream say while a snapshot is not through. */
  #snapshotMark(): Record<string, unknown> | null {
    if (this.#progress === null) return null
    const mark = { snapshot: 'INITIAL', snapshot_completed: false, last_snapshot_record: false }
    return this.#progress === 'begin' ? mark : { ...mark, snapshot_progress: JSON.stringify(this.#progress) }
  }

  async #openSnapshot(created: server.CreatedSlot | null, captured: readonly TableEntry[]): Promise<void> {
    const { options, signal, logger } = this.#context
    await sleep(this.#progress === 'begin' ? options.snapshot.delayMs : 0, signal)
    const moment = await openTransaction(options, created, signal)
    if (created === null && this.#reader) {
      // after the snapshot: whatever it sees ended before this place, and must be streamed before its rows are read
      const [row] = await this.#catalog.rows(
        'select (case when pg_is_in_recovery() then pg_last_wal_replay_lsn() else pg_current_wal_flush_lsn() end)::text as lsn',
      )
      this.#target = parseLsn(row!['lsn']!)
    }
    // initial_only has no publication
    const published = this.#publication.current ?? publicationFor(true, options.publication.viaRoot, captured)
    const own = snapshotTables(captured, published)
    const { tables, digest } = await planTables(this.#catalog, this.#context.shapes, options, own)
    await lockTables(moment.connection, options, tables, signal)
    const at = nowMicros()
    const position = this.#position!
    const offset = (progress: SnapshotProgress | null, last: boolean): SourceOffset => {
      const txId = position.lsnProc === null ? moment.txId : position.txId
      const own = snapshotOffset({ lsn: position.lsn, txId: txId ?? moment.txId, at, last, progress })
      return { ...position.offset(this.#transaction?.offset() ?? null), ...own }
    }
    const from = this.#progress === 'begin' ? null : this.#progress
    const names = tables.map(t => t.shape.id)
    logger.info(`snapshot of ${names.length} tables at ${formatLsn(moment.lsn)}: ${names.slice(0, 50).join(', ')}`)
    const make = () =>
      new SnapshotReader(
        {
          connection: moment.connection,
          tables,
          digest,
          moment: { lsn: moment.lsn, txId: moment.txId, at, lastCommit: position.lsnCommit },
          sources: this.#context.sources,
          partition: { server: options.prefix },
          headers: this.#context.headers,
          user: options.connection.user,
          offset,
        },
        from,
      )
    this.#moment = moment
    if (created === null && this.#reader) {
      this.#reader.setBoundary(txId => !moment.sees(txId))
      this.#makeSnapshot = make
    } else {
      this.#snapshot = make()
    }
  }

  /** Makes the snapshot's reader once the stream has caught up with it. */
  #makeSnapshot: (() => SnapshotReader) | null = null

  /** The next records; null when there are none for now. */
  async next(): Promise<SourceRecord[] | null> {
    const records = await this.#next()
    const given = records?.at(-1)?.sourceOffset
    if (given) {
      this.#given = given
      this.#givenLsn = confirmableBy(loadOffset(given)) ?? ZERO
    }
    return records
  }

  async #next(): Promise<SourceRecord[] | null> {
    await this.connect()
    if (this.#makeSnapshot) {
      const records = await this.#catchUp()
      if (records) return records
    }
    if (this.#snapshot) {
      const records = await this.#readSnapshot()
      if (records) return records
    }
    if (!this.#reader) {
      // initial_only, and it is done
      await sleep(Number.POSITIVE_INFINITY, this.#context.signal)
      return null
    }
    return this.#readStream(this.#reader, this.#stream!)
  }

  /** Streams up to the moment of the snapshot; null when it is there. */
  async #catchUp(): Promise<SourceRecord[] | null> {
    const { options, signal, logger } = this.#context
    const reader = this.#reader!
    const stream = this.#stream!
    for (;;) {
      const records = await reader.read(options.maxBatch)
      if (records.length > 0) return records
      if (reader.held || reader.reached >= this.#target) break
      // an idle server answers at once how far it is
      stream.sendStatus(true)
      await stream.connection.chunks.wait(signal, 1000)
    }
    logger.info(`caught up with the snapshot at ${formatLsn(reader.reached)}`)
    this.#snapshot = this.#makeSnapshot!()
    this.#makeSnapshot = null
    return null
  }

  async #readSnapshot(): Promise<SourceRecord[] | null> {
    const { options, signal, logger } = this.#context
    const snapshot = this.#snapshot!
    const records = await snapshot.read(options.maxBatch, signal)
    this.#progress = snapshot.progress
    if (!snapshot.done) return records
    logger.info(`snapshot through: ${snapshot.rows} rows`)
    this.#endSnapshot()
    this.#progress = null
    this.#streamDelayMs = options.streamingDelayMs
    this.#reader?.setBoundary(null)
    return records.length > 0 ? records : null
  }

  #endSnapshot(): void {
    void this.#moment?.connection.close()
    this.#moment = null
    this.#snapshot = null
    this.#makeSnapshot = null
  }

  async #readStream(reader: StreamReader, stream: ReplicationStream): Promise<SourceRecord[] | null> {
    const { options, signal, heartbeat } = this.#context
    if (this.#streamDelayMs > 0) await sleep(this.#streamDelayMs, signal)
    this.#streamDelayMs = 0
    await this.#refreshXmin()
    await this.#publication.refresh()
    const records = await reader.read(options.maxBatch)
    const beat = reader.heartbeat()
    if (beat) {
      records.push(beat)
      await this.#heartbeatQuery()
    }
    if (records.length > 0) return records
    const idle = this.#idleProgress(reader)
    if (idle) return [idle]
    const read = reader.idleLsn
    const waits = options.slot.flush === 'connector_and_driver' && read !== null && read > this.#givenLsn
    const pause = !waits ? Number.POSITIVE_INFINITY : Math.max(0, this.#idleAt - Date.now())
    await stream.connection.chunks.wait(signal, Math.min(heartbeat.wait(), pause, this.#publication.wait))
    return null
  }

  /**
   * An offset without a record; committing it lets the slot advance. Emitted periodically for WAL
   * with nothing to capture, and at once on request of the server, which waits for it before it
   * shuts down.
   */
  #idleProgress(reader: StreamReader): SourceRecord | null {
    const { slot, prefix } = this.#context.options
    const asked = reader.takeAsked()
    const read = reader.idleLsn
    if (read === null || (!asked && Date.now() < this.#idleAt)) return null
    const passes = slot.flush === 'connector_and_driver' && read > this.#givenLsn
    const behind =
      asked && slot.flush !== 'manual' && this.#givenLsn > this.#flush.flushed && this.#givenLsn > this.#pressedFor
    if (!passes && !behind) return null
    this.#pressedFor = this.#givenLsn
    this.#idleAt = Date.now() + slot.statusMs
    return {
      topic: prefix,
      partition: null,
      keySchema: null,
      key: null,
      valueSchema: null,
      value: null,
      timestamp: null,
      headers: [],
      sourcePartition: { server: prefix },
      sourceOffset: reader.offsetNow(passes),
      unwritten: 'progress',
    }
  }

  async #heartbeatQuery(): Promise<void> {
    const { heartbeatQuery } = this.#context.options
    if (heartbeatQuery === null) return
    try {
      await this.#catalog.rows(heartbeatQuery)
    } catch (error) {
      // capturing does not depend on it
      if (isRetriable(error)) throw error
      this.#context.logger.error(`heartbeat.action.query failed: ${messageOf(error)}`)
    }
  }

  async #refreshXmin(): Promise<void> {
    const { xminMs, name } = this.#context.options.slot
    if (xminMs === 0 || Date.now() < this.#xminAt + xminMs) return
    this.#xminAt = Date.now()
    this.#xmin = (await server.slotState(this.#catalog, name))?.xmin ?? null
  }

  /** An offset is safe in the log. */
  committed(offset: SourceOffset): void {
    if (this.#flush.committed(offset)) this.#stream?.sendStatus()
  }

  /**
   * A server that shuts down waits until all of its WAL is confirmed. That may never happen: with
   * `lsn.flush.mode=connector`, or while the log rejects records. So the connector disconnects; the
   * server sends again what is not confirmed.
   */
  async #leaveAtShutdown(): Promise<void> {
    const { options, signal } = this.#context
    const stream = this.#stream
    if (stream === null) return
    try {
      await sleep(SHUTDOWN_GRACE_MS, signal)
    } catch {
      // stopping ends the stream
      return
    }
    const catalog = new Catalog(options, signal)
    try {
      await catalog.rows('select')
    } catch (error) {
      if (!signal.aborted) stream.abandon(messageOf(error))
    } finally {
      await catalog.close()
    }
  }

  /** Ends all connections; `connect` makes new ones and goes on where it was. */
  async disconnect(): Promise<void> {
    this.#connected = false
    this.#endSnapshot()
    const stream = this.#stream
    this.#stream = null
    this.#reader = null
    await Promise.all([stream?.close(), this.#catalog.close()])
  }

  /** Ends for good. */
  async close(): Promise<void> {
    const { options, logger } = this.#context
    await this.disconnect()
    if (!options.slot.dropOnStop || !this.#plan?.stream) return
    const catalog = new Catalog(options, AbortSignal.timeout(10_000))
    try {
      await dropWhenFree(catalog, options.slot.name)
      logger.info(`dropped replication slot ${options.slot.name} (slot.drop.on.stop)`)
    } finally {
      await catalog.close()
    }
  }
}

/** The server needs a moment to notice that the stream's connection is gone. */
async function dropWhenFree(catalog: Catalog, slot: string): Promise<void> {
  for (let attempt = 0; attempt < 50; attempt++) {
    const state = await server.slotState(catalog, slot)
    if (state === null) return
    if (!state.active) await server.dropSlot(catalog, slot)
    else await sleep(100)
  }
}
