import type { Member } from './member.ts'
import type { MemberProtocol } from './types.ts'

/**
 * The maximum number of assigned but unused member ids per group. If the limit is exceeded, the
 * oldest id is removed, and its client must request a new one.
 */
export const MAX_PENDING_MEMBERS = 10_000

/** The members of a group, with indexes. Independent of the group's state. */
export class Membership {
  readonly #members = new Map<string, Member>()
  readonly #static = new Map<string, string>()
  /**
   * Assigned member ids that have not been used in a join yet, with the times at which they expire.
   */
  readonly #pending = new Map<string, number>()
  /** The number of members that support each protocol. */
  readonly #supporters = new Map<string, number>()
  #joining = 0
  leaderId: string | null = null

  get size(): number {
    return this.#members.size
  }

  /** The number of members that wait for a JoinGroup response. */
  get joining(): number {
    return this.#joining
  }

  get pendingSize(): number {
    return this.#pending.size
  }

  /** Whether all members have joined, and no assigned member id is unused. */
  get allJoined(): boolean {
    return this.#joining === this.#members.size && this.#pending.size === 0
  }

  all(): IterableIterator<Member> {
    return this.#members.values()
  }

  get(memberId: string): Member | undefined {
    return this.#members.get(memberId)
  }

  has(memberId: string): boolean {
    return this.#members.has(memberId)
  }

  /** Returns the current member id for a `group.instance.id`. */
  staticId(instanceId: string): string | undefined {
    return this.#static.get(instanceId)
  }

  add(member: Member): void {
    this.#members.set(member.memberId, member)
    this.#pending.delete(member.memberId)
    if (member.groupInstanceId !== null) this.#static.set(member.groupInstanceId, member.memberId)
    if (member.joinWaiter) this.#joining++
    this.#count(member.protocols, 1)
    this.leaderId ??= member.memberId
  }

  remove(memberId: string): Member | undefined {
    this.#pending.delete(memberId)
    const member = this.#members.get(memberId)
    if (!member) return undefined
    this.#members.delete(memberId)
    if (member.groupInstanceId !== null && this.#static.get(member.groupInstanceId) === memberId)
      this.#static.delete(member.groupInstanceId)
    if (member.joinWaiter) this.#joining--
    this.#count(member.protocols, -1)
    if (this.leaderId === memberId) this.leaderId = this.#members.keys().next().value ?? null
    return member
  }

  /** Replaces a member. If the old member led the group, the new member leads it. */
  replace(oldId: string, member: Member): void {
    const leads = this.leaderId === oldId
    this.remove(oldId)
    this.add(member)
    if (leads) this.leaderId = member.memberId
  }

  setJoinWaiter(member: Member, waiter: Member['joinWaiter']): void {
    if (!member.joinWaiter && waiter) this.#joining++
    if (member.joinWaiter && !waiter) this.#joining--
    member.joinWaiter = waiter
  }

  setProtocols(member: Member, protocols: readonly MemberProtocol[]): void {
    this.#count(member.protocols, -1)
    member.protocols = protocols
    this.#count(protocols, 1)
  }

  /** Whether all members support at least one of these protocols. */
  supportsAny(protocols: readonly MemberProtocol[]): boolean {
    return protocols.some(p => (this.#supporters.get(p.name) ?? 0) === this.#members.size)
  }

  /** The longest rebalance timeout of all members, in milliseconds. */
  get rebalanceTimeoutMs(): number {
    let max = 0
    for (const m of this.#members.values()) max = Math.max(max, m.rebalanceTimeoutMs)
    return max
  }

  /** Ensures that the leader is a member that has joined. Returns false if no member has joined. */
  electJoinedLeader(): boolean {
    if (this.leaderId !== null && this.#members.get(this.leaderId)?.joinWaiter) return true
    for (const m of this.#members.values()) {
      if (!m.joinWaiter) continue
      this.leaderId = m.memberId
      return true
    }
    return false
  }

  isPending(memberId: string): boolean {
    return this.#pending.has(memberId)
  }

  addPending(memberId: string, until: number): void {
    if (this.#pending.size >= MAX_PENDING_MEMBERS) {
      const oldest = this.#pending.keys().next().value
      if (oldest !== undefined) this.#pending.delete(oldest)
    }
    this.#pending.set(memberId, until)
  }

  removePending(memberId: string): boolean {
    return this.#pending.delete(memberId)
  }

  /** Removes the expired unused ids. Returns whether any id was removed. */
  expirePending(now: number): boolean {
    let any = false
    for (const [id, until] of this.#pending) {
      if (until > now) continue
      this.#pending.delete(id)
      any = true
    }
    return any
  }

  /** Returns the earliest time at which a member or an unused id may expire. */
  nextExpiry(): number {
    let next = Number.POSITIVE_INFINITY
    for (const until of this.#pending.values()) next = Math.min(next, until)
    for (const m of this.#members.values()) next = Math.min(next, m.expiresAt)
    return next
  }

  #count(protocols: readonly MemberProtocol[], by: number): void {
    for (const name of new Set(protocols.map(p => p.name))) {
      const n = (this.#supporters.get(name) ?? 0) + by
      if (n === 0) this.#supporters.delete(name)
      else this.#supporters.set(name, n)
    }
  }
}
