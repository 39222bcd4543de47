import { type JoinReply, type MemberProtocol, NO_BYTES, type SyncReply, type Waiter } from './types.ts'

/** A member of a classic group: what it said of itself, what it was assigned, and what it waits for. */
export class Member {
  readonly memberId: string
  readonly groupInstanceId: string | null
  readonly clientId: string
  readonly clientHost: string
  sessionTimeoutMs: number
  rebalanceTimeoutMs: number
  protocols: readonly MemberProtocol[]
  assignment: Buffer = NO_BYTES
  /** In its first join: it has no id yet, cannot send heartbeats, and is let go when the join lasts too long. */
  isNew = false
  /** When its session ends, milliseconds; Infinity while there is none. Looked at only when nothing else keeps it alive. */
  sessionDeadline = Number.POSITIVE_INFINITY
  joinWaiter: Waiter<JoinReply> | null = null
  syncWaiter: Waiter<SyncReply> | null = null

  constructor(m: {
    memberId: string
    groupInstanceId: string | null
    clientId: string
    clientHost: string
    sessionTimeoutMs: number
    rebalanceTimeoutMs: number
    protocols: readonly MemberProtocol[]
    assignment?: Buffer
  }) {
    this.memberId = m.memberId
    this.groupInstanceId = m.groupInstanceId
    this.clientId = m.clientId
    this.clientHost = m.clientHost
    this.sessionTimeoutMs = m.sessionTimeoutMs
    this.rebalanceTimeoutMs = m.rebalanceTimeoutMs
    this.protocols = m.protocols
    if (m.assignment) this.assignment = m.assignment
  }

  /** What it said under a protocol's name; nothing when it does not speak it. */
  metadata(protocol: string | null): Buffer {
    return this.protocols.find(p => p.name === protocol)?.metadata ?? NO_BYTES
  }

  /** Whether it says the same as before, in the same order of preference. */
  matches(protocols: readonly MemberProtocol[]): boolean {
    return (
      protocols.length === this.protocols.length &&
      protocols.every((p, i) => p.name === this.protocols[i]!.name && p.metadata.equals(this.protocols[i]!.metadata))
    )
  }

  /** The earliest time at which it may have to be let go. A member that waits for an answer of ours is alive, unless new. */
  get expiresAt(): number {
    if (!this.isNew && (this.joinWaiter || this.syncWaiter)) return Number.POSITIVE_INFINITY
    return this.sessionDeadline
  }

  keepAlive(now: number): void {
    this.sessionDeadline = now + this.sessionTimeoutMs
  }
}

/**
 * The protocol that a group settles on: of those that every member speaks, the one that most members prefer to the
 * other common ones; between equals the one preferred by the earliest member.
 */
export function selectProtocol(members: Iterable<Member>): string | null {
  const all = [...members]
  const common = commonProtocols(all)
  const votes = new Map<string, number>()
  for (const member of all) {
    const choice = member.protocols.find(p => common.has(p.name))
    if (choice) votes.set(choice.name, (votes.get(choice.name) ?? 0) + 1)
  }
  let best: string | null = null
  for (const [name, count] of votes) if (best === null || count > votes.get(best)!) best = name
  return best
}

/** The names of the protocols that every one of these members speaks. */
export function commonProtocols(members: readonly Member[]): Set<string> {
  const [first, ...rest] = members
  if (!first) return new Set()
  return new Set(first.protocols.map(p => p.name).filter(n => rest.every(m => m.protocols.some(p => p.name === n))))
}
