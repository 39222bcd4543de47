import type { MillraceError } from '../../core/connect/index.ts'
import { errors } from './errors.ts'
import { formatLsn } from './lsn.ts'
import type { LoadedOffset } from './offset.ts'
import type { SlotState } from './server.ts'
import type { FlushMode } from './stream/position.ts'

/** What a start of the task does. */
export interface Plan {
  readonly snapshot: boolean
  readonly stream: boolean
  /** Make the slot first; its snapshot is then the one that is read. */
  readonly createSlot: boolean
  /** Drop the slot that can give no more changes before. */
  readonly dropSlot: boolean
  /** The offset to go on from, or null to begin. */
  readonly from: LoadedOffset | null
  /** Something that the log should say. */
  readonly warnings: readonly string[]
  /** Something that is as it should be, and good to know. */
  readonly notes: readonly string[]
}

/**
 * Decides what to do, from the mode, the committed offset and the slot. Pure. Returns an error where going on would leave a gap
 * that nobody asked for.
 */
export function planStart(
  mode: string,
  slotName: string,
  offset: LoadedOffset | null,
  slot: SlotState | null,
  mismatch: string,
  flush: FlushMode,
): Plan | MillraceError {
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
  const rereads = mode === 'when_needed' || mode === 'always'

  if (slot === null) {
    if (complete && !rereads)
      return errors.create('MR_PG_SLOT_MISSING', { slot: slotName, lsn: formatLsn(offset.lsn ?? 0) })
    const warnings = offset === null ? [] : [staleRows(`slot ${slotName} is gone`)]
    return { ...plan, snapshot: snapshot || rereads, createSlot: true, from: null, warnings }
  }
  if (slot.lost !== null) {
    if (mode !== 'when_needed') return errors.create('MR_PG_SLOT_INVALIDATED', { slot: slotName, cause: slot.lost })
    const warnings = [staleRows(`slot ${slotName} can give no more changes (${slot.lost})`)]
    return { ...plan, snapshot: true, createSlot: true, dropSlot: true, from: null, warnings }
  }
  const reached = offset?.lsnCommit ?? offset?.lsn ?? null
  if (reached === null || slot.confirmedLsn === null || slot.confirmedLsn <= reached) return plan
  const [slotLsn, lsn] = [formatLsn(slot.confirmedLsn), formatLsn(reached)]
  if (mismatch === 'trust_offset') return errors.create('MR_PG_OFFSET_MISMATCH', { slot: slotName, slotLsn, lsn })
  const stands = `slot ${slotName} stands at ${slotLsn}, past the offset ${lsn}`
  // it is told of more than offsets only in this mode: of WAL that held nothing to capture
  if (flush === 'connector_and_driver') return { ...plan, notes: [`${stands}: nothing was captured in between`] }
  const warning = `${stands}, though lsn.flush.mode=${flush} never moves it there: if something else reads this slot, its changes are missing here`
  return { ...plan, warnings: [warning] }
}

const staleRows = (what: string): string =>
  `${what}: it is made anew and the tables are read again; rows that were deleted since the last event stay in the topics`
