import { isRetriable, messageOf, type SourceOffset, type SourceRecord, sleep } from 'millrace/connect'
import { TransactionMetadata } from '../../cdc/index.ts'
import { Catalog } from '../catalog/catalog.ts'
import { formatLsn, type Lsn } from '../lsn.ts'
import { PublicationKeeper } from '../publication-keeper.ts'
import type { Snapshot } from '../snapshot/snapshot.ts'
import { Emitter } from '../stream/emitter.ts'
import { FlushTracker } from '../stream/position.ts'
import { connect } from './connect.ts'
import type { Event, Machine, OpenStream, SessionContext, SessionParts, State } from './context.ts'
import { type Idle, IdleOffsets } from './idle-offsets.ts'
import { Progress } from './progress.ts'
import { dropOnStop, leaveAtShutdown } from './shutdown.ts'
import { SlotXmin } from './slot-xmin.ts'
import { CONNECTING, decide, type SessionAction, streamOf } from './state.ts'
import { WalLag, type WalPositions } from './wal-lag.ts'

type Phase<Name extends State['phase']> = Extract<State, { phase: Name }>

/** The time after which the position of an idle server is requested again, in milliseconds. */
const POSITION_MS = 1000

/** The state of a session, for its metrics. */
export interface SessionView {
  readonly phase: State['phase']
  readonly connected: boolean
  readonly progress: Progress
  readonly wal: WalPositions | null
  /**
   * The position up to which the stream was read; null without a stream, and inside a transaction.
   */
  readonly reached: Lsn | null
  readonly confirmed: Lsn
}

/**
 * Runs a task from its start to its stop, over any number of connections. `decide` defines the
 * phases and their transitions. This class performs the actions of the transitions.
 */
export class Session implements Machine {
  readonly #parts: SessionParts
  readonly #idle: IdleOffsets
  readonly #wal: WalLag
  #state: State = CONNECTING

  constructor(context: SessionContext) {
    const { options, signal, headers } = context
    const catalog = new Catalog(options, signal)
    catalog.onTerminated = () => {
      const open = streamOf(this.#state)
      if (open !== null) void leaveAtShutdown(context, open.stream)
    }
    this.#parts = {
      ...context,
      catalog,
      publication: new PublicationKeeper(context, catalog),
      flush: new FlushTracker(options.slot.flush),
      transaction: options.transactionMetadata ? new TransactionMetadata() : null,
      emitter: new Emitter({ server: options.prefix }, headers, options.tombstones, options.values.binary),
      xmin: new SlotXmin(options.slot, catalog),
      progress: new Progress(),
    }
    this.#wal = new WalLag(catalog, options.slot.name, context.logger)
    this.#idle = new IdleOffsets(options.slot.flush, options.slot.statusMs)
  }

  get state(): State {
    return this.#state
  }

  /**
   * Returns the current state for the metrics. Refreshes the server's positions in the background.
   */
  view(): SessionView {
    const state = this.#state
    const { progress, flush } = this.#parts
    const open = streamOf(state)
    if (open !== null && state.phase !== 'connecting') void this.#wal.refresh()
    return {
      phase: state.phase,
      connected: state.phase !== 'connecting',
      progress,
      wal: this.#wal.positions,
      reached: open === null ? null : open.reader.idleLsn,
      confirmed: flush.flushed,
    }
  }

  /** Changes the state immediately. Resolves when the actions of the transition are complete. */
  apply(event: Event): Promise<void> {
    const { state, actions } = decide(this.#state, event)
    this.#state = state
    return this.#performAll(actions)
  }

  async #performAll(actions: readonly SessionAction<OpenStream, Snapshot>[]): Promise<void> {
    await Promise.all(actions.map(action => this.#perform(action)))
  }

  async #perform(action: SessionAction<OpenStream, Snapshot>): Promise<void> {
    const { logger, signal } = this.#parts
    switch (action.do) {
      case 'wait for the stream': {
        const { stream } = action.stream
        // requests a reply, so that an idle server sends its position immediately
        stream.sendStatus(true)
        return stream.connection.chunks.wait(signal, POSITION_MS)
      }
      case 'log that it caught up':
        logger.info(`caught up with the snapshot at ${formatLsn(action.stream.reader.reached)}`)
        return
      case 'end snapshot':
        logger.info(`snapshot complete: ${action.snapshot.rows} rows`)
        this.#parts.progress.snapshotEnded(true)
        void action.snapshot.close()
        action.stream?.reader.setBoundary(null)
        return
      case 'close snapshot':
        this.#parts.progress.snapshotEnded(false)
        void action.snapshot.close()
        return
      case 'close stream':
        return action.stream.stream.close()
    }
  }

  /** Connects unless the session is connected. Records that were emitted are not emitted again. */
  async connect(): Promise<void> {
    if (this.#state.phase === 'connecting') await connect(this.#parts, this)
  }

  /** Returns the next records; null if no records have arrived yet. */
  async next(): Promise<SourceRecord[] | null> {
    const records = await this.#next()
    const offset = records?.at(-1)?.sourceOffset
    if (offset) await this.apply({ type: 'emitted', offset })
    return records
  }

  async #next(): Promise<SourceRecord[] | null> {
    for (;;) {
      const state = this.#state
      switch (state.phase) {
        case 'connecting':
          await this.connect()
          break
        case 'catching up': {
          const records = await this.#catchUp(state)
          if (records.length > 0) return records
          break
        }
        case 'snapshotting': {
          const records = await this.#readSnapshot(state)
          if (records.length > 0) return records
          break
        }
        case 'streaming':
          return this.#readStream(state)
        case 'finished':
          await sleep(Number.POSITIVE_INFINITY, this.#parts.signal)
      }
    }
  }

  async #catchUp({ stream }: Phase<'catching up'>): Promise<SourceRecord[]> {
    const { reader } = stream
    const records = await reader.read(this.#parts.options.maxBatch)
    if (records.length === 0) await this.apply({ type: 'stream read', reached: reader.reached, held: reader.held })
    return records
  }

  async #readSnapshot({ snapshot }: Phase<'snapshotting'>): Promise<SourceRecord[]> {
    const { options, signal } = this.#parts
    const records = await snapshot.read(options.maxBatch, signal)
    const { progress, done } = snapshot
    await this.apply({ type: 'snapshot read', progress, done, delayMs: options.streamingDelayMs })
    return records
  }

  async #readStream({ stream, resume, delayMs }: Phase<'streaming'>): Promise<SourceRecord[] | null> {
    const { options, signal, xmin, publication, flush } = this.#parts
    if (delayMs > 0) {
      await sleep(delayMs, signal)
      await this.apply({ type: 'delay passed' })
    }
    await xmin.refresh()
    await publication.refresh()
    const { reader } = stream
    const records = await reader.read(options.maxBatch)
    const beat = reader.heartbeat()
    if (beat) {
      records.push(beat)
      await this.#runHeartbeatQuery()
    }
    if (records.length > 0) return records
    const isRequested = reader.takeStatusRequest()
    const idle = { read: reader.idleLsn, confirmable: resume.confirmable, flushed: flush.flushed, now: Date.now() }
    const due = this.#idle.decide(idle, isRequested)
    if (due !== null) return [progressRecord(options.prefix, reader.offsetNow(due === 'advance'))]
    await this.#waitForStream(stream, idle)
    return null
  }

  #waitForStream({ stream }: OpenStream, idle: Idle): Promise<void> {
    const { heartbeat, publication, signal } = this.#parts
    const ms = Math.min(heartbeat.wait(), this.#idle.wait(idle), publication.wait)
    return stream.connection.chunks.wait(signal, ms)
  }

  /**
   * Runs `heartbeat.action.query`. Capturing does not depend on the query, so a permanent failure
   * is only logged. Throws a retriable failure, such as a lost connection.
   */
  async #runHeartbeatQuery(): Promise<void> {
    const { options, catalog, logger } = this.#parts
    if (options.heartbeatQuery === null) return
    try {
      await catalog.rows(options.heartbeatQuery)
    } catch (error) {
      if (isRetriable(error)) throw error
      logger.error(`heartbeat.action.query failed: ${messageOf(error)}`)
    }
  }

  /** Confirms the slot up to the position that a committed offset allows. */
  committed(offset: SourceOffset): void {
    if (this.#parts.flush.committed(offset)) streamOf(this.#state)?.stream.sendStatus()
  }

  /** Closes all connections. The next `connect` resumes after the last emitted record. */
  async disconnect(): Promise<void> {
    await Promise.all([this.apply({ type: 'disconnected' }), this.#parts.catalog.close()])
  }

  /** Closes all connections permanently, and drops the slot if configured. */
  async close(): Promise<void> {
    await this.disconnect()
    if (this.#parts.options.slot.dropOnStop && this.#state.resume?.plan.stream) await dropOnStop(this.#parts)
  }
}

/**
 * Returns a record that contains only an offset and is not written. When the offset is committed,
 * the slot can advance.
 */
const progressRecord = (prefix: string, offset: SourceOffset): SourceRecord => ({
  topic: prefix,
  partition: null,
  keySchema: null,
  key: null,
  valueSchema: null,
  value: null,
  timestamp: null,
  headers: [],
  sourcePartition: { server: prefix },
  sourceOffset: offset,
  unwritten: 'progress',
})
