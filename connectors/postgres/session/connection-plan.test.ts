import { MillraceError } from 'millrace/connect'
import { parseSettings } from 'millrace/testing'
import { expect, test } from 'vitest'
import { postgresConfig } from '../config.ts'
import { loadOffset } from '../offset.ts'
import { parseOptions } from '../options.ts'
import type { Found } from '../plan.ts'
import type { SlotState } from '../server.ts'
import { propsFor } from '../test-support/harness.ts'
import type { WalState } from '../wal-state.ts'
import { planConnection } from './connection-plan.ts'
import type { Resume } from './resume.ts'
import { CONNECTING, decide } from './state.ts'

const SLOT: SlotState = {
  plugin: 'pgoutput',
  database: 'd',
  active: false,
  restartLsn: 90,
  confirmedLsn: 100,
  lost: null,
  xmin: null,
}
const WAL: WalState = { system: '7', timeline: 1, end: 1000, inRecovery: false, nextTxId: 800, leftAt: new Map() }
const COMPLETE = loadOffset({ lsn: 120, lsn_commit: 120, lsn_proc: 120, txId: 700, wal_id: '7/1' })

function optionsOf(mode: string) {
  const props = propsFor('postgresql://u@h:5432/d', { 'snapshot.mode': mode })
  return parseOptions(parseSettings(postgresConfig, props), props)
}
const find = (more: Partial<Found>): Found => ({ offset: null, slot: SLOT, wal: WAL, missing: null, ...more })

function stepsOf(mode: string, resume: Resume | null, found: Partial<Found>): readonly string[] | string {
  const planned = planConnection(optionsOf(mode), resume, find(found))
  return planned instanceof MillraceError ? planned.code : planned.steps
}

/** Returns the state that a streaming task keeps after its first connection. */
function resumeOf(mode: string, found: Partial<Found>): Resume {
  const planned = planConnection(optionsOf(mode), null, find(found))
  if (planned instanceof Error) throw planned
  const confirmedLsn = find(found).slot?.confirmedLsn ?? null
  const event = { type: 'planned', plan: planned.plan, confirmedLsn, createdLsn: 50, walId: '7/1', micros: 0 } as const
  return decide<never, never>(CONNECTING, event).state.resume!
}

test.each<[string, string, Partial<Found>, readonly string[] | string]>([
  [
    'a first start creates the slot and reads its snapshot before the stream starts',
    'initial',
    { slot: null },
    ['prepare publication', 'create slot', 'set position', 'open snapshot', 'release new slot', 'start stream'],
  ],
  [
    'a first start with an existing slot starts the stream before the snapshot',
    'initial',
    {},
    ['prepare publication', 'set position', 'start stream', 'open snapshot'],
  ],
  [
    'a slot that can no longer be used is dropped before the new one is created',
    'when_needed',
    { slot: { ...SLOT, lost: 'wal_removed' }, offset: COMPLETE },
    [
      'prepare publication',
      'drop slot',
      'create slot',
      'set position',
      'open snapshot',
      'release new slot',
      'start stream',
    ],
  ],
  [
    'snapshot.mode=no_data does not read the tables',
    'no_data',
    { slot: null },
    ['prepare publication', 'create slot', 'set position', 'release new slot', 'start stream'],
  ],
  [
    'snapshot.mode=initial_only reads the tables and does not stream',
    'initial_only',
    { slot: null, wal: null },
    ['set position', 'open snapshot'],
  ],
  [
    'a start with a complete offset streams and does not read the tables',
    'initial',
    { offset: COMPLETE },
    ['prepare publication', 'set position', 'start stream'],
  ],
  ['a slot of another database is rejected', 'initial', { slot: { ...SLOT, database: 'other' } }, 'MR_PG_SLOT_WRONG'],
])('%s', (_, mode, found, expected) => {
  expect(stepsOf(mode, null, found)).toEqual(expected)
})

test('a later connection repeats the snapshot only while it is not complete', () => {
  const resume = resumeOf('initial', { slot: null })
  const offset = loadOffset({ lsn: 100, wal_id: '7/1' })
  const steps = ['prepare publication', 'set position', 'start stream', 'open snapshot']
  expect(stepsOf('initial', resume, { offset })).toEqual(steps)
  expect(stepsOf('initial', { ...resume, snapshot: null }, { offset })).toEqual(steps.slice(0, 3))
})

test('a later connection fails if resuming would leave a gap', () => {
  const resume = resumeOf('when_needed', { offset: COMPLETE })
  const offset = COMPLETE
  expect(stepsOf('when_needed', resume, { offset, slot: null })).toBe('MR_PG_SLOT_MISSING')
  expect(stepsOf('when_needed', resume, { offset, wal: { ...WAL, system: '8' } })).toBe('MR_PG_OFFSET_STRAYED')
  const moved = { ...SLOT, confirmedLsn: 500 }
  expect(stepsOf('when_needed', resume, { offset, slot: moved })).toBe('MR_PG_OFFSET_MISMATCH')
  expect(stepsOf('when_needed', { ...resume, slotFloor: 500 }, { offset, slot: moved })).toHaveLength(3)
})
