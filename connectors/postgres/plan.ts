import type { MillraceError } from 'millrace/connect'
import { errors } from './errors.ts'
import { formatLsn, type Lsn } from './lsn.ts'
import { confirmableBy, type LoadedOffset } from './offset.ts'
import type { SlotState } from './server.ts'
import type { FlushMode } from './stream/position.ts'
import { isReplaying, reachedBy, strayed, type WalState } from './wal-state.ts'

/** The steps of a start of the task. */
export interface Plan {
  readonly snapshot: boolean
  readonly stream: boolean
  /** Whether to create the slot first, and read the snapshot that the slot exports. */
  readonly createSlot: boolean
  /** Whether to drop the existing slot first, because it can no longer be used. */
  readonly dropSlot: boolean
  /** The offset to resume from; null to start at the slot's position. */
  readonly from: LoadedOffset | null
  /** Messages to log as warnings. */
  readonly warnings: readonly string[]
  /** Messages to log at level INFO. */
  readonly notes: readonly string[]
}

/** The state of the server that a connection finds. */
export interface Found {
  readonly offset: LoadedOffset | null
  readonly slot: SlotState | null
  /** The state of the server's WAL; null with `snapshot.mode=initial_only`. */
  readonly wal: WalState | null
  /** Why the slot's WAL does not contain the offset; null if it does. */
  readonly missing: string | null
}

/** A start that found both an offset and a slot. */
interface FoundOffset extends Found {
  readonly offset: LoadedOffset
  readonly slot: SlotState
}

/** The settings that determine what a start does. */
export interface StartOptions {
  /** The setting `snapshot.mode`. */
  readonly mode: string
  readonly slotName: string
  /** The setting `offset.mismatch.strategy`. */
  readonly mismatch: string
  readonly flush: FlushMode
  /** The setting `slot.drop.on.stop`. */
  readonly dropOnStop: boolean
}

/** Whether a start with this `snapshot.mode` takes a new snapshot if the slot does not exist. */
const rereadsWithoutSlot = (mode: string): boolean => mode === 'when_needed' || mode === 'always'

/** Whether a restart with this `snapshot.mode` fails if the slot does not exist. */
export const needsSlotAgain = (mode: string): boolean => mode !== 'initial_only' && !rereadsWithoutSlot(mode)

/**
 * Returns the steps of a start, from the settings, the committed offset, the slot and the server's
 * WAL. Returns an error if resuming would silently leave a gap. Has no side effects.
 */
export function planStart(options: StartOptions, found: Found): Plan | MillraceError {
  const { mode, slotName } = options
  const { offset, slot, wal, missing } = found
  const complete = offset !== null && !offset.inSnapshot
  const snapshot = mode === 'always' || (mode !== 'no_data' && !complete)
  const plan: Plan = {
    snapshot,
    stream: true,
    createSlot: false,
    dropSlot: false,
    from: offset,
    warnings: [],
    notes: [],
  }
  if (mode === 'initial_only') return { ...plan, stream: false }
  const rereads = rereadsWithoutSlot(mode)

  if (slot === null) {
    if (complete && !rereads) {
      const why = options.dropOnStop ? ' (with slot.drop.on.stop=true, the connector drops its slot at each stop)' : ''
      const since = `the offset ${formatLsn(offset.lsn ?? 0)}`
      return errors.create('MR_PG_SLOT_MISSING', { slot: slotName, why, since })
    }
    const warnings = offset === null ? [] : [staleRows(`slot ${slotName} no longer exists`)]
    return { ...plan, snapshot: snapshot || rereads, createSlot: true, from: null, warnings }
  }
  const lost = slot.lost ?? slotStrayed(slot, wal)
  if (lost !== null) {
    if (mode !== 'when_needed') return errors.create('MR_PG_SLOT_INVALIDATED', { slot: slotName, cause: lost })
    const warnings = [staleRows(`slot ${slotName} can no longer be used (${lost})`)]
    return { ...plan, snapshot: true, createSlot: true, dropSlot: true, from: null, warnings }
  }
  if (offset === null) return plan
  const existing = { offset, slot, wal, missing }
  return offsetProblem(options, plan, existing) ?? slotAhead(options, plan, existing) ?? plan
}

/**
 * Returns a reason if the slot is confirmed past the end of the WAL; otherwise null. Such a slot
 * cannot be used, because the server would skip the changes up to the confirmed position.
 */
function slotStrayed(slot: SlotState, wal: WalState | null): string | null {
  if (wal === null || wal.inRecovery || slot.confirmedLsn === null || slot.confirmedLsn <= wal.end) return null
  return `it is confirmed up to ${formatLsn(slot.confirmedLsn)}, but the server's WAL ends at ${formatLsn(wal.end)}`
}

/**
 * Returns what a start does if the offset is not in the server's WAL, because the database was
 * restored, replaced, or failed over to a stale standby. Returns null if the offset is in the WAL.
 */
function offsetProblem(options: StartOptions, plan: Plan, found: FoundOffset): Plan | MillraceError | null {
  const { offset, slot, wal, missing } = found
  const why = wal === null ? null : (strayed(offset, wal) ?? missing)
  if (wal === null || why === null) return null
  if (isReplaying(offset, wal))
    return errors.create('MR_PG_STANDBY_BEHIND', { lsn: formatLsn(reachedBy(offset)), end: formatLsn(wal.end) })
  if (offset.inSnapshot || options.mode === 'when_needed' || options.mode === 'always')
    return { ...plan, snapshot: true, from: null, warnings: [staleRows(why)] }
  if (options.mismatch !== 'trust_slot') return errors.create('MR_PG_OFFSET_STRAYED', { why, slot: options.slotName })
  const from = formatLsn(slot.confirmedLsn ?? 0)
  const warning = `${why}: streaming starts at ${from}, the position of slot ${options.slotName} (offset.mismatch.strategy=trust_slot). Rows that the database lost remain in the topics.`
  return { ...plan, from: null, warnings: [warning] }
}

/**
 * Returns what a start does if the slot was confirmed past the offset, so that the changes in
 * between are lost. Returns null if it was not.
 */
function slotAhead(options: StartOptions, plan: Plan, found: FoundOffset): Plan | MillraceError | null {
  const { offset, slot } = found
  const { mode, mismatch, slotName, flush } = options
  const reached = confirmableBy(offset)
  if (reached === null || slot.confirmedLsn === null || slot.confirmedLsn <= reached) return null
  const [slotLsn, lsn] = [formatLsn(slot.confirmedLsn), formatLsn(reached)]
  const where = `slot ${slotName} is confirmed up to ${slotLsn}, past the offset ${lsn}`
  if (plan.snapshot) return { ...plan, warnings: [staleRows(where)] }
  if (mismatch === 'trust_slot' || mismatch === 'trust_greater_lsn') {
    const warning = `${where}: streaming resumes at the slot (offset.mismatch.strategy=${mismatch})`
    return { ...plan, warnings: [warning] }
  }
  // this connector never confirms the slot past the committed offset, so another client confirmed
  // it
  if (offset.walId !== null && mode === 'when_needed')
    return { ...plan, snapshot: true, from: null, warnings: [staleRows(where)] }
  if (offset.walId !== null || mismatch === 'trust_offset')
    return errors.create('MR_PG_OFFSET_MISMATCH', { slot: slotName, slotLsn, lsn })
  // in this mode, Debezium and older versions of this connector confirm WAL without captured
  // changes, and do not write an offset for this WAL
  if (flush === 'connector_and_driver') return { ...plan, notes: [`${where}: nothing was captured in between`] }
  const warning = `${where}, although neither Debezium nor this connector confirms the slot that far with lsn.flush.mode=${flush}. If another client read changes from this slot, these changes are not captured.`
  return { ...plan, warnings: [warning] }
}

/**
 * Returns why a new connection of the same task cannot resume from an offset; null if it can.
 * `floor` is the confirmed position of the slot at the start of the task.
 */
export function checkOnward(
  slotName: string,
  found: { offset: LoadedOffset; slot: SlotState; wal: WalState; missing: string | null },
  floor: Lsn,
): MillraceError | null {
  const { offset, slot, wal, missing } = found
  const why = strayed(offset, wal) ?? missing
  if (why !== null && isReplaying(offset, wal))
    return errors.create('MR_PG_STANDBY_BEHIND', { lsn: formatLsn(reachedBy(offset)), end: formatLsn(wal.end) })
  if (why !== null) return errors.create('MR_PG_OFFSET_STRAYED', { why, slot: slotName })
  const lost = slot.lost ?? slotStrayed(slot, wal)
  if (lost !== null) return errors.create('MR_PG_SLOT_INVALIDATED', { slot: slotName, cause: lost })
  const reached = confirmableBy(offset)
  const confirmed = slot.confirmedLsn
  if (reached === null || confirmed === null || confirmed <= reached || confirmed <= floor) return null
  const [slotLsn, lsn] = [formatLsn(confirmed), formatLsn(reached)]
  return errors.create('MR_PG_OFFSET_MISMATCH', { slot: slotName, slotLsn, lsn })
}

const staleRows = (what: string): string =>
  `${what}: taking a new snapshot of the tables; rows that were deleted since the last event remain in the topics`
