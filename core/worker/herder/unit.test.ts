import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createLogger } from '../../common/log.ts'
import type { ThreadEvent } from '../task/host/messages-out.ts'
import type { Desired } from './decide.ts'
import { restartPolicy } from './restart-policy.ts'
import { StartGate } from './start-gate.ts'
import { SupervisedUnit, type UnitChange, type UnitHost } from './unit.ts'

const UNIT = 'task:x-0'
const failure = { message: 'm', trace: 't', retriable: true }

/** A thread that answers a request when the test calls the next function in `pending`. */
class FakeHost {
  readonly name = 'x-0'
  readonly units = new Set<string>()
  alive = true
  readonly pending: (() => void)[] = []
  deliver: (event: ThreadEvent) => void = () => {}

  start(paused: boolean, world: World): Promise<null> {
    expect(world.live, 'the unit runs twice').toBe(0)
    world.live++
    this.units.add(UNIT)
    this.pending.push(() => {
      if (this.units.has(UNIT)) this.deliver({ type: 'started', unit: UNIT, paused })
    })
    return Promise.resolve(null)
  }

  request(name: string): Promise<null> {
    this.pending.push(() => {
      if (!this.units.has(UNIT)) return
      this.deliver({ type: name === 'pause' ? 'paused' : 'resumed', unit: UNIT })
    })
    return Promise.resolve(null)
  }

  stopUnit = (): Promise<boolean> => Promise.resolve(true)
}

class World {
  live = 0
  now = 0
  host = new FakeHost()
  readonly changes: UnitChange[] = []
  readonly stops: (() => void)[] = []
  desired: Desired = { run: false, paused: false, revision: 1, restarts: 0 }
  readonly unit: SupervisedUnit<UnitHost>

  constructor(gate = new StartGate(100)) {
    this.unit = new SupervisedUnit<UnitHost>({
      unit: UNIT,
      gate,
      graceMs: 10,
      now: () => this.now,
      random: () => 0.5,
      logger: createLogger('test.unit'),
      policy: () => restartPolicy({}),
      host: () => {
        const host = new FakeHost()
        host.deliver = event => {
          if (event.type === 'failed' || event.type === 'stopped') host.units.delete(event.unit)
          this.unit.onEvent(event, host)
        }
        host.stopUnit = () =>
          new Promise(resolve => {
            if (!host.units.has(UNIT)) return resolve(true)
            this.stops.push(() => {
              if (host.units.delete(UNIT)) this.live--
              resolve(true)
            })
          })
        this.host = host
        return host
      },
      release: () => {},
      start: (host, paused) => (host as unknown as FakeHost).start(paused, this),
      onChange: change => {
        this.changes.push(change)
      },
    })
  }

  steer(): void {
    this.unit.steer(this.desired)
  }

  fail(): void {
    if (!this.host.units.has(UNIT)) return
    this.live--
    this.host.deliver({ type: 'failed', unit: UNIT, failure })
  }

  /** Completes all pending starts, requests and stops. */
  async settle(): Promise<void> {
    for (let i = 0; i < 50; i++) {
      this.host.pending.shift()?.()
      this.stops.shift()?.()
      await Promise.resolve()
      await Promise.resolve()
      this.now += 100_000
      this.steer()
    }
  }
}

type Act = 'run' | 'stop' | 'pause' | 'resume' | 'revise' | 'restart' | 'fail' | 'answer' | 'stopped' | 'time' | 'tick'
const acts: Act[] = ['run', 'stop', 'pause', 'resume', 'revise', 'restart', 'fail', 'answer', 'stopped', 'time', 'tick']

async function perform(world: World, act: Act): Promise<void> {
  const d = world.desired
  if (act === 'run') world.desired = { ...d, run: true }
  else if (act === 'stop') world.desired = { ...d, run: false }
  else if (act === 'pause') world.desired = { ...d, paused: true }
  else if (act === 'resume') world.desired = { ...d, paused: false }
  else if (act === 'revise') world.desired = { ...d, revision: d.revision + 1 }
  else if (act === 'restart') world.desired = { ...d, restarts: d.restarts + 1 }
  else if (act === 'fail') world.fail()
  else if (act === 'answer') world.host.pending.shift()?.()
  else if (act === 'stopped') world.stops.shift()?.()
  else if (act === 'time') world.now += 1000
  else await Promise.resolve()
  world.steer()
}

test('for any sequence of requests, answers and failures, a unit runs at most once and reaches its desired state', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.constantFrom(...acts), { maxLength: 60 }), async list => {
      const world = new World()
      for (const act of list) {
        await perform(world, act)
        expect(world.live).toBeLessThanOrEqual(1)
      }
      await world.settle()
      const { run, paused } = world.desired
      expect(world.unit.phase).toBe(run ? (paused ? 'paused' : 'running') : 'down')
      expect(world.live).toBe(run ? 1 : 0)
    }),
    { numRuns: 1000 },
  )
})

test('events of a thread that the unit no longer uses are ignored', async () => {
  const world = new World()
  world.desired = { ...world.desired, run: true }
  world.steer()
  const old = world.host
  old.pending.shift()?.()
  world.desired = { ...world.desired, revision: 2 }
  world.steer()
  world.stops.shift()?.()
  await Promise.resolve()
  await Promise.resolve()
  world.steer()
  world.host.pending.shift()?.()
  expect(world.unit.phase).toBe('running')
  old.deliver({ type: 'failed', unit: UNIT, failure })
  expect(world.unit.phase).toBe('running')
})

test('the restart delay doubles with each failure, and a new configuration resets the delay', async () => {
  const world = new World()
  const waits: number[] = []
  world.desired = { ...world.desired, run: true }
  world.steer()
  for (let i = 0; i < 4; i++) {
    world.fail()
    const last = world.changes.at(-1)
    waits.push(last?.type === 'failed' ? (last.retryAt ?? 0) - world.now : -1)
    world.now += 100_000
    world.steer()
  }
  expect(waits).toEqual([1000, 2000, 4000, 8000])
  world.fail()
  world.desired = { ...world.desired, revision: 2 }
  world.steer()
  world.fail()
  expect(world.changes.at(-1)).toMatchObject({ type: 'failed', restarts: 0 })
})

test('an hour without failures resets the restart delay', () => {
  const world = new World()
  world.desired = { ...world.desired, run: true }
  world.steer()
  for (let i = 0; i < 3; i++) {
    world.fail()
    world.now += 100_000
    world.steer()
  }
  world.host.pending.shift()?.()
  world.now += 3_600_000
  world.fail()
  expect(world.changes.at(-1)).toMatchObject({ type: 'failed', restarts: 0, retryAt: world.now + 1000 })
})

test('a start waits for a free slot, and its request is cancelled if the unit should no longer run', async () => {
  const gate = new StartGate(1)
  const [first, second, third] = [new World(gate), new World(gate), new World(gate)]
  for (const world of [first, second, third]) {
    world.desired = { ...world.desired, run: true }
    world.steer()
  }
  expect([first.live, second.live, third.live]).toEqual([1, 0, 0])
  second.desired = { ...second.desired, run: false }
  second.steer()
  expect(second.unit.phase).toBe('down')
  first.host.deliver({ type: 'loaded', unit: UNIT })
  expect([second.live, third.live]).toEqual([0, 1])
  first.fail()
  await first.settle()
  expect(first.unit.phase, 'the third is still loading').toBe('queued')
  third.fail()
  first.host.pending.shift()?.()
  expect(first.unit.phase).toBe('running')
})

test('a failed unit that was stopped starts again without a delay', () => {
  const world = new World()
  world.desired = { ...world.desired, run: true }
  world.steer()
  world.fail()
  world.desired = { ...world.desired, run: false }
  world.steer()
  world.desired = { ...world.desired, run: true }
  world.steer()
  expect(world.unit.phase).toBe('starting')
})
