import { type JoinReply, type MemberProtocol, NO_BYTES, type SyncReply, type Waiter } from './types.ts'

/** A member of a classic group: its metadata, its assignment and its waiting requests. */
export class Member {
  readonly memberId: string
  readonly groupInstanceId: string | null
  readonly clientId: string
  readonly clientHost: string
  sessionTimeoutMs: number
  rebalanceTimeoutMs: number
  protocols: readonly MemberProtocol[]
  assignment: Buffer = NO_BYTES
  /**
   * Whether this is the member's first join. Some clients learn their member id only from the
   * response, so they cannot send heartbeats before it. Therefore the duration of the first join is
   * limited instead.
   */
  isNew = false
  /**
   * The time at which the session expires, in milliseconds. Infinity without a session. Ignored
   * while the member waits for a response, unless the member is new.
   */
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

  /** Returns the metadata for a protocol, or an empty buffer if the member does not support it. */
  metadata(protocol: string | null): Buffer {
    return this.protocols.find(p => p.name === protocol)?.metadata ?? NO_BYTES
  }

  /**
   * Whether the member already has these protocols and metadata, in the same order of preference.
   */
  matches(protocols: readonly MemberProtocol[]): boolean {
    return (
      protocols.length === this.protocols.length &&
      protocols.every((p, i) => p.name === this.protocols[i]!.name && p.metadata.equals(this.protocols[i]!.metadata))
    )
  }

  /**
   * The earliest time at which the member may expire. A member that waits for a response does not
   * expire, unless the member is new.
   */
  get expiresAt(): number {
    if (!this.isNew && (this.joinWaiter || this.syncWaiter)) return Number.POSITIVE_INFINITY
    return this.sessionDeadline
  }

  keepAlive(now: number): void {
    this.sessionDeadline = now + this.sessionTimeoutMs
  }
}

/**
 * Returns the protocol that a group uses. Of the protocols that all members support, this is the
 * one that most members prefer. If several have equal votes, it is the one that the earliest member
 * prefers.
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

/** Returns the names of the protocols that all of these members support. */
export function commonProtocols(members: readonly Member[]): Set<string> {
  const [first, ...rest] = members
  if (!first) return new Set()
  return new Set(first.protocols.map(p => p.name).filter(n => rest.every(m => m.protocols.some(p => p.name === n))))
}
