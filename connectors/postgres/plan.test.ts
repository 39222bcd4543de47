import { MillraceError } from 'millrace/connect'
import { describe, expect, test } from 'vitest'
import { type LoadedOffset, loadOffset } from './offset.ts'
import { checkOnward, planStart } from './plan.ts'
import type { SlotState } from './server.ts'
import type { FlushMode } from './stream/position.ts'
import { formatWalId, parseHistory, type WalState } from './wal-state.ts'

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
const WAL: WalState = {
  system: '7000000000000000001',
  timeline: 1,
  end: 1000,
  inRecovery: false,
  nextTxId: 800,
  leftAt: new Map(),
}
const complete = loadOffset({ lsn: 120, lsn_commit: 120, lsn_proc: 120 })
const ours = loadOffset({ lsn: 120, lsn_commit: 120, lsn_proc: 120, txId: 700, wal_id: formatWalId(WAL) })
const running = loadOffset({ lsn: 100, snapshot: 'INITIAL', snapshot_completed: false, last_snapshot_record: false })

interface Case {
  readonly mode?: string
  readonly mismatch?: string
  readonly flush?: FlushMode
  readonly dropOnStop?: boolean
  readonly offset?: LoadedOffset | null
  readonly slot?: SlotState | null
  readonly wal?: Partial<WalState>
  readonly missing?: string
}

const planOf = (c: Case) =>
  planStart(
    {
      mode: c.mode ?? 'initial',
      slotName: 's',
      mismatch: c.mismatch ?? 'no_validation',
      flush: c.flush ?? 'connector_and_driver',
      dropOnStop: c.dropOnStop ?? false,
    },
    {
      offset: c.offset === undefined ? ours : c.offset,
      slot: c.slot === undefined ? slot() : c.slot,
      wal: { ...WAL, ...c.wal },
      missing: c.missing ?? null,
    },
  )
const plan = (mode: string, _slot: string, offset: LoadedOffset | null, state: SlotState | null, mismatch: string) => {
  const p = planOf({ mode, offset, slot: state, mismatch })
  return p instanceof MillraceError ? p.code : { snapshot: p.snapshot, stream: p.stream, createSlot: p.createSlot }
}
/**
 * Returns the code of the error. Without an error, returns whether the plan takes a snapshot or
 * streams, whether it starts at the slot or at the offset, and the number of warnings.
 */
const outcome = (c: Case) => {
  const p = planOf(c)
  if (p instanceof MillraceError) return p.code
  return [p.snapshot ? 'snapshot' : 'stream', p.from === null ? 'slot' : 'offset', p.warnings.length]
}

describe('a start', () => {
  test('a start without an offset takes a snapshot, unless snapshot.mode=no_data, and creates a missing slot', () => {
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

  test('a start after an interrupted snapshot keeps the slot and resumes the snapshot', () => {
    expect(plan('initial', 's', running, slot(), 'no_validation')).toEqual({
      snapshot: true,
      stream: true,
      createSlot: false,
    })
  })

  test('a start with a complete offset takes a snapshot only with snapshot.mode=always', () => {
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

  test('a start that would leave a gap fails', () => {
    expect(plan('initial', 's', complete, null, 'no_validation')).toBe('MR_PG_SLOT_MISSING')
    expect(plan('no_data', 's', complete, null, 'no_validation')).toBe('MR_PG_SLOT_MISSING')
    expect(plan('initial', 's', complete, slot({ lost: 'wal_removed' }), 'no_validation')).toBe(
      'MR_PG_SLOT_INVALIDATED',
    )
    expect(plan('initial', 's', complete, slot({ confirmedLsn: 500 }), 'trust_offset')).toBe('MR_PG_OFFSET_MISMATCH')
  })

  test('the error of a missing slot names slot.drop.on.stop if the connector dropped the slot', () => {
    const message = (dropOnStop: boolean) => {
      const p = planOf({ mode: 'initial', slot: null, dropOnStop })
      return p instanceof MillraceError ? p.message : p
    }
    const why = 'with slot.drop.on.stop=true, the connector drops its slot at each stop'
    expect(message(true)).toContain(`replication slot s no longer exists (${why}), so changes since`)
    expect(message(true)).toMatch(/set slot\.drop\.on\.stop=false.* snapshot\.mode=when_needed or always/)
    expect(message(false)).toContain('replication slot s no longer exists, so changes since')
  })

  test('a slot that is confirmed past an offset of Debezium causes a warning, unless lsn.flush.mode is connector_and_driver', () => {
    const ahead = slot({ confirmedLsn: 500 })
    const said = (flush: FlushMode) => {
      const p = planOf({ offset: complete, slot: ahead, flush })
      return p instanceof MillraceError ? p : [p.warnings.length, p.notes.length]
    }
    expect(said('connector_and_driver')).toEqual([0, 1])
    expect(said('connector')).toEqual([1, 0])
    expect(said('manual')).toEqual([1, 0])
  })

  test('with snapshot.mode=when_needed, a start without a usable slot takes a new snapshot', () => {
    const newStart = { snapshot: true, stream: true, createSlot: true }
    expect(plan('when_needed', 's', complete, null, 'no_validation')).toEqual(newStart)
    expect(plan('when_needed', 's', complete, slot({ lost: 'wal_removed' }), 'no_validation')).toEqual(newStart)
    expect(plan('when_needed', 's', complete, slot(), 'no_validation')).toEqual({
      ...newStart,
      snapshot: false,
      createSlot: false,
    })
  })
})

describe('an offset that does not belong to the server’s WAL', () => {
  const lost: [string, Case][] = [
    ['is past the end of the WAL', { wal: { end: 119 } }],
    [
      'has an event past the end of the WAL',
      { offset: loadOffset({ lsn: 130, lsn_proc: 130, lsn_commit: 90 }), wal: { end: 125 } },
    ],
    ['is of another server', { wal: { system: '7000000000000000002' } }],
    ['is of a timeline that the server left before the offset', { wal: { timeline: 3, leftAt: new Map([[1, 110]]) } }],
    [
      'is of a timeline that is not an ancestor of the current timeline',
      { wal: { timeline: 3, leftAt: new Map([[2, 500]]) } },
    ],
    ['contains a transaction id that the server has not reached', { wal: { nextTxId: 700 } }],
    ['ends where the WAL has no transaction', { missing: 'slot s has no transaction that ends at 0/78' }],
  ]
  test.each(lost)('an offset that %s fails the start, unless the configuration says how to continue', (_, c) => {
    expect(outcome(c)).toBe('MR_PG_OFFSET_STRAYED')
    expect(outcome({ ...c, mode: 'no_data' })).toBe('MR_PG_OFFSET_STRAYED')
    for (const mismatch of ['trust_offset', 'trust_greater_lsn'])
      expect(outcome({ ...c, mismatch })).toBe('MR_PG_OFFSET_STRAYED')
    expect(outcome({ ...c, mismatch: 'trust_slot' })).toEqual(['stream', 'slot', 1])
    for (const mode of ['when_needed', 'always']) expect(outcome({ ...c, mode })).toEqual(['snapshot', 'slot', 1])
    const message = (planOf(c) as Error).message
    expect(message).toMatch(/snapshot\.mode=when_needed.*offset\.mismatch\.strategy=trust_slot/)
  })

  test('an interrupted snapshot starts again if its offset is past the end of the WAL', () => {
    expect(outcome({ offset: running, wal: { end: 90 }, slot: slot({ confirmedLsn: 80 }) })).toEqual([
      'snapshot',
      'slot',
      1,
    ])
  })

  test('a start waits for a standby that has not replayed the WAL up to the offset', () => {
    expect(outcome({ wal: { end: 119, inRecovery: true } })).toBe('MR_PG_STANDBY_BEHIND')
    expect(outcome({ wal: { end: 119, inRecovery: true, system: '7000000000000000002' } })).toBe('MR_PG_OFFSET_STRAYED')
  })

  test('offsets at the end of the WAL or of a timeline, offsets from a standby, and offsets from before a wraparound of transaction ids are valid', () => {
    const fine = ['stream', 'offset', 0]
    expect(outcome({ wal: { end: 120 } })).toEqual(fine)
    expect(outcome({ wal: { timeline: 3, leftAt: new Map([[1, 120]]) } })).toEqual(fine)
    // this offset was committed while the connector read from a standby; the standby may have been
    // promoted since
    const standby = loadOffset({ ...ours.raw, wal_id: String(ours.raw['wal_id']).replace(/\d+$/, '0') })
    expect(outcome({ offset: standby, wal: { timeline: 3, leftAt: new Map([[1, 110]]) } })).toEqual(fine)
    expect(outcome({ wal: { nextTxId: 701 } })).toEqual(fine)
    // the WAL has grown so far that the transaction ids may have wrapped around
    expect(outcome({ wal: { nextTxId: 100, end: 2 ** 40 } })).toEqual(fine)
    expect(outcome({ offset: loadOffset({ ...ours.raw, txId: 2 ** 32 - 5 }), wal: { nextTxId: 10 } })).toEqual(fine)
  })

  test('only the position of an offset of Debezium is checked', () => {
    expect(outcome({ offset: complete, wal: { system: '1', timeline: 9, nextTxId: 1 } })).toEqual([
      'stream',
      'offset',
      0,
    ])
    expect(outcome({ offset: complete, wal: { end: 119 } })).toBe('MR_PG_OFFSET_STRAYED')
  })
})

describe('a slot', () => {
  test('a slot that another client confirmed past the offset fails the start, unless the configuration says how to continue', () => {
    const ahead = { slot: slot({ confirmedLsn: 500 }) }
    expect(outcome(ahead)).toBe('MR_PG_OFFSET_MISMATCH')
    expect(outcome({ ...ahead, mode: 'no_data' })).toBe('MR_PG_OFFSET_MISMATCH')
    expect(outcome({ ...ahead, mode: 'when_needed' })).toEqual(['snapshot', 'slot', 1])
    for (const mismatch of ['trust_slot', 'trust_greater_lsn'])
      expect(outcome({ ...ahead, mismatch })).toEqual(['stream', 'offset', 1])
    expect(outcome({ ...ahead, offset: running })).toEqual(['snapshot', 'offset', 1])
  })

  test('a slot that is confirmed at or before the offset is valid', () => {
    for (const confirmedLsn of [1, 119, 120])
      expect(outcome({ slot: slot({ confirmedLsn }) })).toEqual(['stream', 'offset', 0])
  })

  test('a slot that is confirmed past the end of the WAL is unusable', () => {
    const past = { slot: slot({ confirmedLsn: 2000 }) }
    expect(outcome(past)).toBe('MR_PG_SLOT_INVALIDATED')
    expect(outcome({ ...past, offset: null })).toBe('MR_PG_SLOT_INVALIDATED')
    expect(planOf({ ...past, mode: 'when_needed' })).toMatchObject({ dropSlot: true, createSlot: true, from: null })
  })
})

test('a reconnect checks the offset and the slot as a start does', () => {
  const again = (state: Partial<SlotState>, wal: Partial<WalState> = {}) =>
    checkOnward('s', { offset: ours, slot: slot(state), wal: { ...WAL, ...wal }, missing: null }, 110)?.code ?? null
  expect(again({})).toBeNull()
  expect(again({ confirmedLsn: 120 })).toBeNull()
  expect(again({ confirmedLsn: 121 })).toBe('MR_PG_OFFSET_MISMATCH')
  expect(again({}, { end: 100 })).toBe('MR_PG_OFFSET_STRAYED')
  expect(again({}, { end: 100, inRecovery: true })).toBe('MR_PG_STANDBY_BEHIND')
  expect(again({ lost: 'wal_removed' })).toBe('MR_PG_SLOT_INVALIDATED')
  // the slot was already past the offset when the task started, and the start accepted that
  expect(checkOnward('s', { offset: ours, slot: slot({ confirmedLsn: 500 }), wal: WAL, missing: null }, 500)).toBeNull()
})

test('parseHistory returns the position at which each timeline ended', () => {
  const text =
    '1\t0/5000148\tno recovery target specified\n\n2\t0/7000000\tbefore 2000-01-01 00:00:00+00\n# a comment\n'
  expect([...parseHistory(text)]).toEqual([
    [1, 0x5000148],
    [2, 0x7000000],
  ])
  expect([...parseHistory('')]).toEqual([])
})

describe("Debezium's offsets", () => {
  test('offsets of a complete snapshot, of the stream, and of older versions are parsed', () => {
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

  test('a corrupt snapshot_progress is ignored', () => {
    expect(loadOffset({ lsn: 1, snapshot: 'INITIAL', snapshot_progress: '{"at":"x"}' }).progress).toBeNull()
    expect(loadOffset({ lsn: 1, snapshot: 'INITIAL', snapshot_progress: '{' }).progress).toBeNull()
  })
})
