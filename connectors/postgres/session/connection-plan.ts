import type { MillraceError } from 'millrace/connect'
import { errors } from '../errors.ts'
import { formatLsn } from '../lsn.ts'
import type { LoadedOffset } from '../offset.ts'
import type { PostgresOptions } from '../options.ts'
import { checkOnward, type Found, type Plan, planStart } from '../plan.ts'
import { wrongSlot } from '../server.ts'
import { positionOf, type Resume } from './resume.ts'

/** A step of a connection. */
export type Step =
  | 'prepare publication'
  | 'drop slot'
  | 'create slot'
  | 'set position'
  | 'start stream'
  | 'open snapshot'
  | 'release new slot'

export interface ConnectionPlan {
  readonly plan: Plan
  readonly steps: readonly Step[]
}

/**
 * Returns the steps of a connection, in order. `resume` is null for the first connection of a task.
 * Returns an error if resuming would leave a gap. Has no side effects.
 */
export function planConnection(
  options: PostgresOptions,
  resume: Resume | null,
  found: Found,
): ConnectionPlan | MillraceError {
  const plan = resume === null ? firstPlan(options, found) : (laterFault(options, resume, found) ?? resume.plan)
  if (plan instanceof Error) return plan
  const isFirst = resume === null
  const creates = isFirst && plan.createSlot
  const reads = resume === null ? plan.snapshot : resume.snapshot !== null
  const steps: (Step | false)[] = [
    plan.stream && 'prepare publication',
    isFirst && plan.dropSlot && 'drop slot',
    creates && 'create slot',
    'set position',
    plan.stream && !creates && 'start stream',
    reads && 'open snapshot',
    creates && 'release new slot',
    plan.stream && creates && 'start stream',
  ]
  return { plan, steps: steps.filter(step => step !== false) }
}

function firstPlan(options: PostgresOptions, found: Found): Plan | MillraceError {
  const { mode } = options.snapshot
  const wrong = found.slot !== null && mode !== 'initial_only' ? wrongSlot(options, found.slot) : null
  if (wrong !== null) return wrong
  const { name, mismatch, flush, dropOnStop } = options.slot
  return planStart({ mode, slotName: name, mismatch, flush, dropOnStop }, found)
}

/**
 * Returns why a later connection cannot resume; null if it can. Since the last connection, the
 * address may lead to another server, and the slot may have been moved or dropped.
 */
function laterFault(options: PostgresOptions, resume: Resume, found: Found): MillraceError | null {
  const { slot, wal, missing } = found
  if (!resume.plan.stream) return null
  const { name } = options.slot
  if (slot === null) {
    const since = `the offset ${formatLsn(positionOf(resume).startLsn())}`
    return errors.create('MR_PG_SLOT_MISSING', { slot: name, why: '', since })
  }
  if (wal === null) return null
  const offset = found.offset as LoadedOffset
  return checkOnward(name, { offset, slot, wal, missing }, resume.slotFloor)
}
