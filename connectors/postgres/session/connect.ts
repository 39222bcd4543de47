import { sleep } from 'millrace/connect'
import { nowMicros } from '../../cdc/index.ts'
import { reportingBlockers } from '../blocked.ts'
import type { TableEntry } from '../catalog/tables.ts'
import { errors } from '../errors.ts'
import { formatLsn, type Lsn, parseLsn } from '../lsn.ts'
import type { Found } from '../plan.ts'
import { publicationFor, snapshotTables } from '../published.ts'
import { type CreatedSlot, createSlot, dropSlot, serverInfo } from '../server.ts'
import { missingFrom, settledSlot, whenFree } from '../slot-access.ts'
import { Snapshot } from '../snapshot/snapshot.ts'
import type { StreamPosition } from '../stream/position.ts'
import { ReplicationStream } from '../stream/replication-stream.ts'
import { StreamReader } from '../stream/stream-reader.ts'
import { formatWalId, readWal, streamedFrom } from '../wal-state.ts'
import { type ConnectionPlan, planConnection, type Step } from './connection-plan.ts'
import type { Machine, SessionParts } from './context.ts'
import { positionOf, type Resume, resumeOffset, snapshotMark } from './resume.ts'

/** The oldest server version that has pgoutput. */
const OLDEST_VERSION = 100_000

interface Inspection {
  readonly version: number
  readonly tables: readonly TableEntry[]
  readonly found: Found
}

/**
 * Reads the state of the server, plans the steps of the connection and performs them. Then the
 * phase `connecting` ends.
 */
export async function connect(parts: SessionParts, machine: Machine): Promise<void> {
  const { options, logger, flush } = parts
  const { resume } = machine.state
  const inspection = await inspect(parts, resume)
  const planned = planConnection(options, resume, inspection.found)
  if (planned instanceof Error) throw planned
  if (resume === null) {
    for (const warning of planned.plan.warnings) logger.warn(warning)
    for (const note of planned.plan.notes) logger.info(note)
  }
  const confirmed = inspection.found.slot?.confirmedLsn
  if (confirmed && !planned.steps.includes('drop slot')) flush.confirmed(confirmed)
  await new Connecting(parts, machine, inspection, planned).run()
  await machine.apply({ type: 'connected' })
}

async function inspect(parts: SessionParts, resume: Resume | null): Promise<Inspection> {
  const { options, catalog, signal } = parts
  const { version, walLevel } = await serverInfo(catalog)
  if (version < OLDEST_VERSION) throw errors.create('MR_PG_UNSUPPORTED', { version })
  const tables = await catalog.tables()
  checkTables(parts, tables)
  const streams = options.snapshot.mode !== 'initial_only'
  const slot = await settledSlot(parts, catalog)
  // check wal_level before the slot, because a server without wal_level=logical has no usable slot
  if (streams && walLevel !== 'logical') throw errors.create('MR_PG_WAL_LEVEL', { level: walLevel })
  const offset = resumeOffset(resume, parts.committed)
  const wal = streams ? await readWal(options, offset?.walId ?? null, signal) : null
  const missing = await missingFrom(parts, version, { offset, slot, wal })
  return { version, tables, found: { offset, slot, wal, missing } }
}

function checkTables({ options, logger }: SessionParts, tables: readonly TableEntry[]): void {
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

/** Performs the steps of one connection. */
class Connecting {
  readonly #parts: SessionParts
  readonly #machine: Machine
  readonly #inspection: Inspection
  readonly #planned: ConnectionPlan
  readonly #isFirst: boolean
  #created: CreatedSlot | null = null

  constructor(parts: SessionParts, machine: Machine, inspection: Inspection, planned: ConnectionPlan) {
    this.#parts = parts
    this.#machine = machine
    this.#inspection = inspection
    this.#planned = planned
    this.#isFirst = machine.state.resume === null
  }

  async run(): Promise<void> {
    let position: StreamPosition | null = null
    try {
      for (const step of this.#planned.steps) {
        if (step === 'set position') position = await this.#setPosition()
        else await this.#perform(step, position!)
      }
    } finally {
      this.#created?.release()
    }
  }

  async #perform(step: Exclude<Step, 'set position'>, position: StreamPosition): Promise<void> {
    const { catalog, options, publication } = this.#parts
    const { version, tables, found } = this.#inspection
    switch (step) {
      case 'prepare publication':
        return publication.prepare(tables, { version, readOnly: found.wal?.inRecovery ?? false }, this.#isFirst)
      case 'drop slot':
        return dropSlot(catalog, options.slot.name)
      case 'create slot':
        return this.#createSlot()
      case 'start stream':
        return this.#startStream(position)
      case 'open snapshot':
        return this.#openSnapshot(position)
      case 'release new slot':
        return this.#created?.release()
    }
  }

  async #createSlot(): Promise<void> {
    const { options, logger, signal } = this.#parts
    const { name } = options.slot
    const creating = createSlot(options, this.#inspection.version, signal)
    const what = `creating replication slot ${name}`
    this.#created = await reportingBlockers(this.#parts, what, () => ({ slot: name }), creating)
    logger.info(`created replication slot ${name} at ${formatLsn(this.#created.lsn)}`)
  }

  async #setPosition(): Promise<StreamPosition> {
    const { slot, wal } = this.#inspection.found
    const walId = wal === null ? null : formatWalId(streamedFrom(wal))
    if (this.#isFirst)
      await this.#machine.apply({
        type: 'planned',
        plan: this.#planned.plan,
        confirmedLsn: slot?.confirmedLsn ?? null,
        createdLsn: this.#created?.lsn ?? null,
        walId,
        micros: nowMicros(),
      })
    else await this.#machine.apply({ type: 'resumed', walId })
    const resume = this.#machine.state.resume!
    this.#parts.transaction?.load(resume.emitted ?? resume.start)
    return positionOf(resume)
  }

  async #startStream(position: StreamPosition): Promise<void> {
    const { options, logger, signal, flush, publication, xmin } = this.#parts
    const { version, found } = this.#inspection
    const from = position.startLsn()
    const start = { serverVersion: version, from, wal: found.wal!, flush, signal }
    const stream = await whenFree(this.#parts, () => ReplicationStream.start(options, start))
    const machine = this.#machine
    const reader = new StreamReader(stream, position, {
      ...this.#parts,
      xmin: () => xmin.value,
      extra: () => snapshotMark(machine.state.resume?.snapshot ?? null),
      publicationSkipped: async message => {
        // while catching up, the skipped changes are in the snapshot, so they are not lost
        if (machine.state.phase !== 'catching up') await publication.skipped(message)
      },
    })
    await machine.apply({ type: 'stream started', stream: { stream, reader } })
    logger.info(`streaming from ${formatLsn(from)} of slot ${options.slot.name}`)
  }

  async #openSnapshot(position: StreamPosition): Promise<void> {
    const { options, publication, transaction, signal, logger } = this.#parts
    const progress = this.#machine.state.resume!.snapshot
    const from = progress === 'begin' ? null : progress
    if (from === null) await sleep(options.snapshot.delayMs, signal)
    const captured = this.#inspection.tables
    // with snapshot.mode=initial_only, the publication is not read
    const published = publication.current ?? publicationFor(true, options.publication.viaRoot, captured)
    const snapshot = await Snapshot.open({
      ...this.#parts,
      created: this.#created,
      tables: snapshotTables(captured, published),
      position,
      counts: () => transaction?.offset() ?? null,
      from,
    })
    const { state } = this.#machine
    const reader = state.phase === 'connecting' ? (state.stream?.reader ?? null) : null
    try {
      const target = reader === null ? null : await this.#walPosition()
      this.#parts.progress.snapshotStarted(snapshot)
      await this.#machine.apply({ type: 'snapshot opened', opened: { snapshot, target } })
    } catch (error) {
      void snapshot.close()
      throw error
    }
    reader?.setBoundary(txId => !snapshot.contains(txId))
    logger.info(snapshot.summary)
  }

  /**
   * Returns the end of the WAL. The caller reads it after the snapshot was opened, so every
   * transaction in the snapshot ended before this position.
   */
  async #walPosition(): Promise<Lsn> {
    const [row] = await this.#parts.catalog.rows(
      'select (case when pg_is_in_recovery() then pg_last_wal_replay_lsn() else pg_current_wal_flush_lsn() end)::text as lsn',
    )
    return parseLsn(row!['lsn']!)
  }
}
