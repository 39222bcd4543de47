import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ErrorCode } from '../../../protocol/error-codes.ts'
import { GroupSim, proto } from '../test-support/group-sim.ts'
import type { JoinReply, SyncReply } from './types.ts'

/** A simulated client. It follows the protocol, except in random steps. */
interface Actor {
  readonly instance: string | null
  readonly version: number
  memberId: string
  generation: number
  leads: boolean
  members: readonly string[]
  alive: boolean
}

const ASSIGNORS = [
  [proto('range', 'a'), proto('sticky', 'a')],
  [proto('sticky', 'b'), proto('range', 'b')],
  [proto('range')],
]

const step = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('start' as const),
      instance: fc.option(fc.nat(2)),
      version: fc.constantFrom(3, 5, 9),
    }),
  },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('join' as const), who: fc.nat(), protocols: fc.nat(2) }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('sync' as const), who: fc.nat(), late: fc.boolean() }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('beat' as const), who: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('leave' as const), who: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('die' as const), who: fc.nat() }) },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.constantFrom(1, 1000, 3000, 11_000, 70_000) }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('write' as const), fail: fc.integer({ min: 0, max: 9 }) }) },
)

type Step = typeof step extends fc.Arbitrary<infer S> ? S : never

class World {
  readonly sim: GroupSim
  readonly actors: Actor[] = []
  readonly waits: { answers: number }[] = []
  /** For each generation: the leader, the protocol and the member ids that its members received. */
  readonly generations = new Map<number, { leader: string; protocol: string | null; ids: Set<string> | null }>()
  /** For each generation: every set of assignments that a leader sent, by member id. */
  readonly assignments = new Map<number, Map<string, string>[]>()
  lastGeneration = 0

  constructor(delay: number, maxSize: number) {
    this.sim = new GroupSim({ initialRebalanceDelayMs: delay, maxSize })
    this.sim.autoWrite = false
  }

  run(s: Step): void {
    const actor = 'who' in s ? this.actors[s.who % Math.max(1, this.actors.length)] : undefined
    if (s.do === 'start') {
      const instance = s.instance === null ? null : `i${s.instance}`
      this.actors.push({
        instance,
        version: instance ? Math.max(5, s.version) : s.version,
        memberId: '',
        generation: -1,
        leads: false,
        members: [],
        alive: true,
      })
    } else if (s.do === 'wait') this.sim.advance(s.ms)
    else if (s.do === 'write') this.sim.write(s.fail === 0 ? ErrorCode.COORDINATOR_NOT_AVAILABLE : 0)
    else if (actor?.alive) this.act(s, actor)
    this.check()
  }

  act(s: Exclude<Step, { do: 'start' | 'wait' | 'write' }>, a: Actor): void {
    if (s.do === 'join') this.join(a, s.protocols)
    else if (s.do === 'sync') this.sync(a, s.late)
    else if (s.do === 'beat') this.sim.heartbeat(a.memberId, a.generation, a.instance)
    else if (s.do === 'leave' && a.memberId !== '') this.sim.leave(a.memberId)
    if (s.do === 'leave' || s.do === 'die') a.alive = false
  }

  join(a: Actor, protocols: number): void {
    const wait = this.sim.join({
      memberId: a.memberId,
      groupInstanceId: a.instance,
      protocols: ASSIGNORS[protocols]!,
      requireKnownMemberId: a.version >= 4,
      supportsSkipAssignment: a.version >= 9,
    })
    this.waits.push(wait)
    watch(wait, reply => this.onJoin(a, reply))
  }

  onJoin(a: Actor, r: JoinReply): void {
    if (r.errorCode === ErrorCode.MEMBER_ID_REQUIRED) {
      a.memberId = r.memberId
      return
    }
    if (r.errorCode === ErrorCode.UNKNOWN_MEMBER_ID || r.errorCode === ErrorCode.GROUP_MAX_SIZE_REACHED) a.memberId = ''
    if (r.errorCode === ErrorCode.FENCED_INSTANCE_ID) a.alive = false
    if (r.errorCode !== ErrorCode.NONE) return
    expect(r.generationId).toBeGreaterThan(0)
    a.memberId = r.memberId
    a.generation = r.generationId
    a.leads = r.leader === r.memberId
    a.members = r.members.map(m => m.memberId)
    const known = this.generations.get(r.generationId)
    const ids = r.members.length > 0 ? new Set(a.members) : null
    if (ids) expect(ids.has(r.memberId)).toBe(true)
    if (!known) this.generations.set(r.generationId, { leader: r.leader, protocol: r.protocolName, ids })
    else {
      expect(r.protocolName).toBe(known.protocol)
      // Static members are not checked, because a static leader that restarts gets a new id.
      if (a.instance === null && !r.skipAssignment && ids) expect(r.leader).toBe(r.memberId)
    }
    if (r.members.length > 0) expect(a.leads).toBe(true)
  }

  sync(a: Actor, late: boolean): void {
    const generationId = late ? a.generation - 1 : a.generation
    const assignments = a.leads
      ? a.members.map(m => ({ memberId: m, assignment: Buffer.from(`${generationId}/${m}/${this.sim.now}`) }))
      : []
    const wait = this.sim.sync({ memberId: a.memberId, groupInstanceId: a.instance, generationId, assignments })
    this.waits.push(wait)
    if (assignments.length > 0) {
      const all = this.assignments.get(generationId) ?? []
      all.push(new Map(assignments.map(x => [x.memberId, x.assignment.toString()])))
      this.assignments.set(generationId, all)
    }
    const memberId = a.memberId
    watch(wait, reply => this.onSync(generationId, memberId, reply))
  }

  onSync(generation: number, memberId: string, r: SyncReply): void {
    if (r.errorCode !== ErrorCode.NONE) return
    const assigned = r.assignment.toString()
    // A member's assignment is empty, or comes from the leader of the same generation.
    if (assigned !== '') expect(assigned.startsWith(`${generation}/`)).toBe(true)
    if (assigned !== '' && assigned.split('/')[1] === memberId)
      expect(this.assignments.get(generation)?.some(m => m.get(memberId) === assigned)).toBe(true)
  }

  check(): void {
    const { group } = this.sim
    expect(group.generationId).toBeGreaterThanOrEqual(this.lastGeneration)
    this.lastGeneration = group.generationId
    const ids = new Set(Array.from(group.members, m => m.memberId))
    expect(ids.size).toBe(group.size)
    if (group.size > 0) expect(ids.has(group.leaderId!)).toBe(true)
    else expect(group.leaderId).toBe(null)
    if (group.state === 'Empty') expect(group.size).toBe(0)
    if (group.state === 'Stable' || group.state === 'CompletingRebalance') {
      expect(group.protocolName).not.toBe(null)
      for (const m of group.members) expect(m.protocols.some(p => p.name === group.protocolName)).toBe(true)
    }
    for (const w of this.waits) expect(w.answers).toBeLessThanOrEqual(1)
    // While members wait in a join, the group has a deadline.
    if (Array.from(group.members).some(m => m.joinWaiter) && group.state === 'PreparingRebalance')
      expect(group.nextDeadline()).toBeLessThan(Number.POSITIVE_INFINITY)
  }

  /** Stops all clients. Every request must be answered, and the group must become empty. */
  finish(): void {
    for (let i = 0; i < 50; i++) {
      while (this.sim.write());
      this.sim.advance(400_000)
    }
    while (this.sim.write());
    this.check()
    for (const w of this.waits) expect(w.answers).toBe(1)
    expect(this.sim.group.state).toBe('Empty')
    expect(this.sim.group.nextDeadline()).toBe(Number.POSITIVE_INFINITY)
  }
}

/** Calls back with the reply, immediately or when the reply arrives. */
function watch<T>(wait: { reply: T | null; answers: number }, then: (reply: T) => void) {
  if (wait.reply) return then(wait.reply)
  let reply: T | null = null
  Object.defineProperty(wait, 'reply', {
    get: () => reply,
    set: (value: T) => {
      reply = value
      then(value)
    },
  })
}

test('for any order of joins, syncs, deaths and writes, generations increase, members agree and every request is answered', () => {
  const seed = Number(process.env['SEED'] ?? Math.floor(Math.random() * 2 ** 31))
  fc.assert(
    fc.property(
      fc.constantFrom(0, 3000),
      fc.constantFrom(2, 3, 1000),
      fc.array(step, { minLength: 5, maxLength: 150, size: 'max' }),
      (delay, max, steps) => {
        const world = new World(delay, max)
        for (const s of steps) world.run(s)
        world.finish()
      },
    ),
    { seed, numRuns: 400 },
  )
})
