import { describe, expect, test } from 'vitest'
import { MillraceError } from '../../core/connect/index.ts'
import { type LoadedOffset, loadOffset } from './offset.ts'
import { planStart } from './plan.ts'
import type { SlotState } from './server.ts'
import type { FlushMode } from './stream/position.ts'

const slot = (more: Partial<SlotState> = {}): SlotState => ({
  plugin: 'pgoutput',
  database: 'd',
  active: false,
  restartLsn: 90,
  confirmedLsn: 100,
  lost: null,
  xmin: null,
  ...more,
})
const complete = loadOffset({ lsn: 120, lsn_commit: 120, lsn_proc: 120 })
const running = loadOffset({ lsn: 100, snapshot: 'INITIAL', snapshot_completed: false, last_snapshot_record: false })
const plan = (mode: string, name: string, offset: LoadedOffset | null, state: SlotState | null, mismatch: string) => {
  const p = planStart(mode, name, offset, state, mismatch, 'connector_and_driver')
  return p instanceof MillraceError ? p.code : { snapshot: p.snapshot, stream: p.stream, createSlot: p.createSlot }
}

describe('a start', () => {
  test('without an offset reads the tables, and makes the slot if there is none', () => {
    expect(plan('initial', 's', null, null, 'no_validation')).toEqual({
      snapshot: true,
      stream: true,
      createSlot: true,
    })
    expect(plan('initial', 's', null, slot(), 'no_validation')).toEqual({
      snapshot: true,
      stream: true,
      createSlot: false,
    })
    expect(plan('no_data', 's', null, null, 'no_validation')).toEqual({
      snapshot: false,
      stream: true,
      createSlot: true,
    })
  })

  test('after an interrupted snapshot keeps the slot and reads on', () => {
    expect(plan('initial', 's', running, slot(), 'no_validation')).toEqual({
      snapshot: true,
      stream: true,
      createSlot: false,
    })
  })

  test('with a complete offset only streams', () => {
    expect(plan('initial', 's', complete, slot(), 'no_validation')).toEqual({
      snapshot: false,
      stream: true,
      createSlot: false,
    })
    expect(plan('always', 's', complete, slot(), 'no_validation')).toEqual({
      snapshot: true,
      stream: true,
      createSlot: false,
    })
    expect(plan('initial_only', 's', complete, slot(), 'no_validation')).toEqual({
      snapshot: false,
      stream: false,
      createSlot: false,
    })
  })

  test('never goes on over a gap that nobody asked for', () => {
    expect(plan('initial', 's', complete, null, 'no_validation')).toBe('MR_PG_SLOT_MISSING')
    expect(plan('no_data', 's', complete, null, 'no_validation')).toBe('MR_PG_SLOT_MISSING')
    expect(plan('initial', 's', complete, slot({ lost: 'wal_removed' }), 'no_validation')).toBe(
      'MR_PG_SLOT_INVALIDATED',
    )
    expect(plan('initial', 's', complete, slot({ confirmedLsn: 500 }), 'trust_offset')).toBe('MR_PG_OFFSET_MISMATCH')
  })

  test('with a slot past the offset is worth a warning only where the connector never moves it there itself', () => {
    const ahead = slot({ confirmedLsn: 500 })
    const said = (flush: FlushMode) => {
      const p = planStart('initial', 's', complete, ahead, 'no_validation', flush)
      return p instanceof MillraceError ? p : [p.warnings.length, p.notes.length]
    }
    expect(said('connector_and_driver')).toEqual([0, 1])
    expect(said('connector')).toEqual([1, 0])
    expect(said('manual')).toEqual([1, 0])
  })

  test('begins anew where when_needed asks for it', () => {
    const anew = { snapshot: true, stream: true, createSlot: true }
    expect(plan('when_needed', 's', complete, null, 'no_validation')).toEqual(anew)
    expect(plan('when_needed', 's', complete, slot({ lost: 'wal_removed' }), 'no_validation')).toEqual(anew)
    expect(plan('when_needed', 's', complete, slot(), 'no_validation')).toEqual({
      ...anew,
      snapshot: false,
      createSlot: false,
    })
  })
})

describe("Debezium's offsets", () => {
  test('of a finished snapshot, of the stream, and of older versions are understood', () => {
    const done = loadOffset({
      last_snapshot_record: true,
      lsn: 1,
      txId: 2,
      ts_usec: 3,
      snapshot: 'INITIAL',
      snapshot_completed: true,
    })
    expect(done).toMatchObject({ inSnapshot: false, lsn: 1, lsnProc: null, txId: 2 })
    expect(loadOffset({ snapshot: true, last_snapshot_record: false, lsn: 1 }).inSnapshot).toBe(true)
    expect(loadOffset({ snapshot: true, last_snapshot_record: true, lsn: 1 }).inSnapshot).toBe(false)
    expect(
      loadOffset({ lsn_proc: 5, lsn_commit: 4, lsn: 5, txId: 9, messageType: 'INSERT', lsn_events_processed: 2 }),
    ).toMatchObject({
      inSnapshot: false,
      lsnProc: 5,
      lsnCommit: 4,
      eventsAtLsn: 2,
    })
  })

  test('whose progress is damaged are those of a snapshot that begins anew', () => {
    expect(loadOffset({ lsn: 1, snapshot: 'INITIAL', snapshot_progress: '{"at":"x"}' }).progress).toBeNull()
    expect(loadOffset({ lsn: 1, snapshot: 'INITIAL', snapshot_progress: '{' }).progress).toBeNull()
  })
})
