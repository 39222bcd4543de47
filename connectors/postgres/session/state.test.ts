import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { loadOffset, type SnapshotProgress } from '../offset.ts'
import { type Plan, planStart } from '../plan.ts'
import { positionOf, type Resume, resumeOffset, snapshotMark } from './resume.ts'
import {
  CONNECTING,
  type Decision,
  decide,
  type SessionAction,
  type SessionEvent,
  type SessionState,
  snapshotOf,
  streamOf,
} from './state.ts'

/** In these tests, streams and snapshots are strings, because `decide` only passes them on. */
type State = SessionState<string, string>
type Event = SessionEvent<string, string>
type Action = SessionAction<string, string>

const PLAN: Plan = {
  snapshot: true,
  stream: true,
  createSlot: true,
  dropSlot: false,
  from: null,
  warnings: [],
  notes: [],
}
const PROGRESS: SnapshotProgress = { tables: 'abc', at: 1, after: ['7'] }
const IN_SNAPSHOT = {
  lsn: 100,
  snapshot: 'INITIAL',
  snapshot_completed: false,
  last_snapshot_record: false,
  snapshot_progress: JSON.stringify(PROGRESS),
}

const planned = (plan: Partial<Plan> = {}, confirmedLsn: number | null = null): Event => ({
  type: 'planned',
  plan: { ...PLAN, ...plan },
  confirmedLsn,
  createdLsn: confirmedLsn === null ? 50 : null,
  walId: '7/1',
  micros: 1,
})
const snapshotOpened = (target: number | null): Event => ({
  type: 'snapshot opened',
  opened: { snapshot: 'snapshot', target },
})
const streamStarted: Event = { type: 'stream started', stream: 'stream' }
const connected: Event = { type: 'connected' }
const read = (done: boolean): Event => ({ type: 'snapshot read', progress: PROGRESS, done, delayMs: 9 })

function run(...events: Event[]): { state: State; actions: Action[] } {
  let state: State = CONNECTING
  const actions: Action[] = []
  for (const event of events) {
    const decision: Decision<string, string> = decide(state, event)
    state = decision.state
    actions.push(...decision.actions)
  }
  return { state, actions }
}

describe('the phases of a session', () => {
  test('with a new slot, a session reads the snapshot first, then streams', () => {
    const start = [planned(), snapshotOpened(null), streamStarted, connected]
    expect(run(...start).state).toMatchObject({ phase: 'snapshotting', stream: 'stream', snapshot: 'snapshot' })
    const done = run(...start, read(false), read(true))
    expect(done.state).toMatchObject({ phase: 'streaming', delayMs: 9, resume: { snapshot: null } })
    expect(done.actions).toEqual([{ do: 'end snapshot', snapshot: 'snapshot', stream: 'stream' }])
    expect(run(...start, read(true), { type: 'delay passed' }).state).toMatchObject({ delayMs: 0 })
  })

  test("with an existing slot, a session streams up to the snapshot's position, then reads the snapshot", () => {
    const start = [planned({}, 40), streamStarted, snapshotOpened(200), connected]
    expect(run(...start).state).toMatchObject({ phase: 'catching up', target: 200 })
    const before = run(...start, { type: 'stream read', reached: 199, held: false })
    expect(before).toMatchObject({ state: { phase: 'catching up' }, actions: [{ do: 'wait for the stream' }] })
    for (const at of [
      { reached: 200, held: false },
      { reached: 100, held: true },
    ]) {
      const caughtUp = run(...start, { type: 'stream read', ...at })
      expect(caughtUp).toMatchObject({ state: { phase: 'snapshotting' }, actions: [{ do: 'log that it caught up' }] })
    }
  })

  test('with a complete offset, a session streams immediately', () => {
    const { state } = run(planned({ snapshot: false }, 40), streamStarted, connected)
    expect(state).toMatchObject({ phase: 'streaming', delayMs: 0 })
  })

  test('with snapshot.mode=initial_only, a session is finished after the snapshot, and after a reconnect', () => {
    const start = [planned({ stream: false }), snapshotOpened(null), connected, read(true)]
    expect(run(...start).state.phase).toBe('finished')
    const again = run(...start, { type: 'disconnected' }, { type: 'resumed', walId: null }, connected)
    expect(again.state.phase).toBe('finished')
  })

  test.each<[string, Event[], Action[]]>([
    ['connecting', [planned(), streamStarted], [{ do: 'close stream', stream: 'stream' }]],
    [
      'catching up',
      [planned(), streamStarted, snapshotOpened(9), connected],
      [
        { do: 'close snapshot', snapshot: 'snapshot' },
        { do: 'close stream', stream: 'stream' },
      ],
    ],
    [
      'snapshotting',
      [planned({ stream: false }), snapshotOpened(null), connected],
      [{ do: 'close snapshot', snapshot: 'snapshot' }],
    ],
    ['streaming', [planned({ snapshot: false }), streamStarted, connected], [{ do: 'close stream', stream: 'stream' }]],
    ['finished', [planned({ stream: false, snapshot: false }), connected], []],
  ])(
    'a disconnect while %s closes the stream and the snapshot, and keeps the state for the next connection',
    (phase, events, actions) => {
      const { state } = run(...events)
      expect(state.phase).toBe(phase)
      const decision = decide(state, { type: 'disconnected' })
      expect(decision.actions).toEqual(actions)
      expect(decision.state).toEqual({ phase: 'connecting', resume: state.resume, stream: null, opened: null })
    },
  )
})

describe('the offset and the snapshot from which the next connection resumes', () => {
  const resumeOf = (...events: Event[]): Resume => run(...events).state.resume!

  test('before the first plan, a connection resumes from the committed offset', () => {
    const committed = loadOffset({ lsn: 3 })
    expect(resumeOffset(null, committed)).toBe(committed)
    expect(run({ type: 'disconnected' }).state).toEqual(CONNECTING)
  })

  test("without an offset, a connection resumes at the slot's position, in the WAL that was streamed", () => {
    const resume = resumeOf(planned())
    expect(resume).toMatchObject({ slotFloor: 50, confirmable: 50, snapshot: 'begin', emitted: null })
    expect(resumeOffset(resume, null)).toMatchObject({ lsn: 50, walId: { system: '7', timeline: 1 } })
    expect(positionOf(resume)).toMatchObject({ lsn: 50, lsnCommit: null, micros: 1, walId: '7/1' })
  })

  test('a connection and its unfinished snapshot resume from the offset of the last emitted record', () => {
    const start = [planned(), snapshotOpened(null), streamStarted, connected, read(false)]
    const emitted: Event = { type: 'emitted', offset: IN_SNAPSHOT }
    const later: SnapshotProgress = { ...PROGRESS, at: 2 }
    const notEmitted: Event = { type: 'snapshot read', progress: later, done: false, delayMs: 0 }
    const again: Event[] = [{ type: 'disconnected' }, { type: 'resumed', walId: '7/2' }]
    const resume = resumeOf(...start, emitted, notEmitted, ...again)
    expect(resume).toMatchObject({ emitted: IN_SNAPSHOT, snapshot: PROGRESS, walId: '7/2', slotFloor: 50 })
    expect(resumeOffset(resume, null)!.raw).toEqual(IN_SNAPSHOT)
  })

  test('a snapshot resumes from the committed progress, unless the slot was confirmed past the offset', () => {
    const from = loadOffset(IN_SNAPSHOT)
    expect(resumeOf(planned({ from }, 100)).snapshot).toEqual(PROGRESS)
    expect(resumeOf(planned({ from }, 101)).snapshot).toBe('begin')
    expect(resumeOf(planned({ from, snapshot: false }, 100)).snapshot).toBeNull()
  })

  test('offsets of the stream contain the progress until the snapshot is complete', () => {
    expect(snapshotMark(null)).toBeNull()
    expect(snapshotMark('begin')).not.toHaveProperty('snapshot_progress')
    expect(loadOffset({ lsn: 1, ...snapshotMark(PROGRESS) })).toMatchObject({ inSnapshot: true, progress: PROGRESS })
  })
})

const lsn = fc.integer({ min: 1, max: 30 })
/** Any event, including events of a connection that was closed in the meantime. */
const event = fc.oneof<fc.Arbitrary<Event>[]>(
  fc.record({ snapshot: fc.boolean(), stream: fc.boolean() }).map(plan => planned(plan)),
  fc.constant<Event>({ type: 'resumed', walId: '7/1' }),
  fc.uuid().map(stream => ({ type: 'stream started', stream })),
  fc.tuple(fc.uuid(), fc.option(lsn)).map(([snapshot, target]) => ({
    type: 'snapshot opened',
    opened: { snapshot, target },
  })),
  fc.constant(connected),
  fc.tuple(lsn, fc.boolean()).map(([reached, held]) => ({ type: 'stream read', reached, held })),
  fc.boolean().map(read),
  fc.constant<Event>({ type: 'delay passed' }),
  lsn.map(at => ({ type: 'emitted', offset: { ...IN_SNAPSHOT, lsn: at } })),
  fc.constant<Event>({ type: 'disconnected' }),
)

test('any sequence of events closes each resource once, and keeps the last emitted offset', () => {
  fc.assert(
    fc.property(fc.array(event, { maxLength: 40 }), events => {
      let state = CONNECTING as State
      const open = new Set<string>()
      let emitted: unknown = null
      for (const e of events) {
        const before = state
        const { state: next, actions }: Decision<string, string> = decide(before, e)
        if (e.type === 'stream started') open.add(e.stream)
        if (e.type === 'snapshot opened') open.add(e.opened.snapshot)
        for (const action of actions) {
          if (action.do === 'close stream') expect(open.delete(action.stream)).toBe(true)
          if (action.do === 'close snapshot' || action.do === 'end snapshot')
            expect(open.delete(action.snapshot)).toBe(true)
        }
        expect(open).toEqual(new Set([streamOf(next), snapshotOf(next)].filter(handle => handle !== null)))
        // after the first plan, `resume` is never null again
        expect(next.resume === null && before.resume !== null).toBe(false)
        if (e.type === 'emitted' && before.phase !== 'connecting') emitted = e.offset
        expect(next.resume?.emitted ?? null).toBe(emitted)
        // the snapshot is read only after the stream has reached the snapshot's position
        if (next.phase === 'snapshotting' && before.phase === 'catching up')
          expect(e.type === 'stream read' && (e.held || e.reached >= before.target)).toBe(true)
        if (before.phase !== next.phase && next.phase === 'streaming') expect(snapshotOf(next)).toBeNull()
        state = next
      }
    }),
  )
})

test('the plan of each snapshot.mode leads to the phase that the mode requires', () => {
  const found = { offset: null, slot: null, wal: null, missing: null }
  const phases = ['initial', 'always', 'when_needed', 'no_data', 'initial_only'].map(mode => {
    const settings = { mode, slotName: 's', mismatch: 'no_validation', flush: 'connector', dropOnStop: false } as const
    const plan = planStart(settings, found)
    if (plan instanceof Error) throw plan
    const opened = plan.snapshot ? [snapshotOpened(null)] : []
    const started = plan.stream ? [streamStarted] : []
    return run(planned(plan), ...opened, ...started, connected).state.phase
  })
  expect(phases).toEqual(['snapshotting', 'snapshotting', 'snapshotting', 'streaming', 'snapshotting'])
})
