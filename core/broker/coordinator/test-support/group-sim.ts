import { ClassicGroup } from '../group/classic-group.ts'
import type { GroupSettings, GroupSnapshot, JoinReply, JoinRequest, SyncReply, SyncRequest } from '../group/types.ts'

/**
 * Controls a group with a simulated clock, for tests. The test decides when records are written.
 */
export class GroupSim {
  readonly group: ClassicGroup
  readonly settings: GroupSettings
  now = 1_000_000
  readonly written: GroupSnapshot[] = []
  readonly notes: string[] = []
  /** If false, records are written only when the test calls `write()`. */
  autoWrite = true
  #unwritten: { ticket: number; snapshot: GroupSnapshot }[] = []
  #ids = 0

  constructor(settings: Partial<GroupSettings> = {}, load?: GroupSnapshot) {
    this.settings = { initialRebalanceDelayMs: 0, maxSize: 1000, ...settings }
    this.group = load
      ? ClassicGroup.load('g', load, this.settings, this.now)
      : new ClassicGroup('g', this.settings, this.now)
    this.pump()
  }

  /**
   * Sends a JoinGroup request. `reply` is set once the response arrives. New members get the ids
   * `m1`, `m2` ...
   */
  join(r: Partial<JoinRequest> = {}): { reply: JoinReply | null; answers: number } {
    const waiting: { reply: JoinReply | null; answers: number } = { reply: null, answers: 0 }
    const request: JoinRequest = {
      memberId: '',
      groupInstanceId: null,
      clientId: 'client',
      clientHost: '/127.0.0.1',
      sessionTimeoutMs: 10_000,
      rebalanceTimeoutMs: 60_000,
      protocolType: 'consumer',
      protocols: [proto('range')],
      newMemberId: `m${++this.#ids}`,
      requireKnownMemberId: false,
      supportsSkipAssignment: true,
      ...r,
    }
    const answer = (reply: JoinReply) => {
      waiting.reply = reply
      waiting.answers++
    }
    this.group.join(request, answer, this.now)
    this.pump()
    this.advance(0)
    return waiting
  }

  sync(r: Partial<SyncRequest> & { memberId: string; generationId: number }): {
    reply: SyncReply | null
    answers: number
  } {
    const waiting: { reply: SyncReply | null; answers: number } = { reply: null, answers: 0 }
    const request = { groupInstanceId: null, protocolType: null, protocolName: null, assignments: [], ...r }
    const answer = (reply: SyncReply) => {
      waiting.reply = reply
      waiting.answers++
    }
    this.group.sync(request, answer, this.now)
    this.pump()
    return waiting
  }

  heartbeat(memberId: string, generationId: number, instance: string | null = null): number {
    return this.group.heartbeat(memberId, instance, generationId, this.now)
  }

  leave(...ids: string[]): number[] {
    const codes = this.group.leave(
      ids.map(memberId => ({ memberId, groupInstanceId: null })),
      this.now,
    )
    this.pump()
    return codes
  }

  /** Advances the clock, and handles each deadline at its time. */
  advance(ms: number): void {
    const end = this.now + ms
    for (;;) {
      const next = this.group.nextDeadline()
      if (next > end) break
      this.now = Math.max(this.now, next)
      this.group.tick(this.now)
      this.pump()
    }
    this.now = end
  }

  /**
   * Completes the oldest pending write, successfully or with an error code. Returns false if there
   * is no pending write.
   */
  write(code = 0): boolean {
    const next = this.#unwritten.shift()
    if (!next) return false
    if (code === 0) this.written.push(next.snapshot)
    this.group.persisted(next.ticket, code, this.now)
    this.pump()
    return true
  }

  pump(): void {
    for (const e of this.group.takeEffects()) {
      if (e.kind === 'join') e.to(e.reply)
      else if (e.kind === 'sync') e.to(e.reply)
      else if (e.kind === 'log') this.notes.push(e.text)
      else this.#unwritten.push(e)
    }
    while (this.autoWrite && this.write());
  }
}

export function proto(name: string, ...topics: string[]): { name: string; metadata: Buffer } {
  return { name, metadata: subscription(topics) }
}

/** Returns a consumer's encoded subscription, version 0. */
export function subscription(topics: readonly string[]): Buffer {
  const head = Buffer.alloc(6)
  head.writeInt32BE(topics.length, 2)
  const names = topics.flatMap(t => {
    const name = Buffer.from(t)
    const length = Buffer.alloc(2)
    length.writeInt16BE(name.length)
    return [length, name]
  })
  return Buffer.concat([head, ...names, Buffer.from([0xff, 0xff, 0xff, 0xff])])
}
