import { ErrorCode } from '../../../protocol/error-codes.ts'
import { fitsGroupSize, memberCode, sharesProtocol, syncCode } from './checks.ts'
import { InitialDelay } from './initial-delay.ts'
import { Member, selectProtocol } from './member.ts'
import { Membership } from './membership.ts'
import { Outbox, type Pending } from './outbox.ts'
import {
  type GroupEffect,
  type GroupSettings,
  type GroupSnapshot,
  type GroupState,
  type JoinReply,
  type JoinRequest,
  type LeaveRequest,
  NO_BYTES,
  type SyncReply,
  type SyncRequest,
  type Waiter,
} from './types.ts'
import { groupSnapshot, joinReply, topicsOf } from './views.ts'

/**
 * The maximum time that a new member may wait in its first join, in milliseconds, as in Kafka. Some
 * clients learn their member id only from the response, so they cannot send heartbeats before it.
 */
const NEW_MEMBER_JOIN_TIMEOUT_MS = 5 * 60_000
/** The minimum time for which a rebalance waits again for static members, in milliseconds. */
const MIN_WAIT_MS = 1000
const NEVER = Number.POSITIVE_INFINITY

/**
 * A group of the classic protocol, which consumers, Connect workers and others use. The class is a
 * state machine without I/O and without a clock. Callers pass the current time to every method, and
 * `takeEffects()` returns the actions to perform. The caller must call `tick` at `nextDeadline()`.
 * The states, transitions and error codes are those of the group coordinator of Kafka 4.3.
 */
export class ClassicGroup {
  readonly groupId: string
  readonly #settings: GroupSettings
  readonly #members = new Membership()
  readonly #pendingSync = new Set<string>()
  readonly #out = new Outbox()
  #state: GroupState = 'Empty'
  #stateTimestamp: number
  #generation = 0
  #protocolType: string | null = null
  #protocolName: string | null = null
  #topics: ReadonlySet<string> | null = null
  #joinDeadline = NEVER
  #syncDeadline = NEVER
  /** Only set during the first rebalance of an empty group. */
  #initialDelay: InitialDelay | null = null

  constructor(groupId: string, settings: GroupSettings, now: number) {
    this.groupId = groupId
    this.#settings = settings
    this.#stateTimestamp = now
  }

  /** Creates a group from its record in the log. All members get a new session. */
  static load(groupId: string, snapshot: GroupSnapshot, settings: GroupSettings, now: number): ClassicGroup {
    const group = new ClassicGroup(groupId, settings, snapshot.currentStateTimestamp)
    group.#generation = snapshot.generation
    group.#protocolType = snapshot.protocolType === '' ? null : snapshot.protocolType
    group.#protocolName = snapshot.protocol
    for (const m of snapshot.members) {
      const protocols = snapshot.protocol === null ? [] : [{ name: snapshot.protocol, metadata: m.subscription }]
      const { rebalanceTimeout, sessionTimeout } = m
      const rebalanceTimeoutMs = rebalanceTimeout === -1 ? sessionTimeout : rebalanceTimeout
      const member = new Member({ ...m, sessionTimeoutMs: sessionTimeout, rebalanceTimeoutMs, protocols })
      member.keepAlive(now)
      group.#members.add(member)
    }
    if (group.#members.size === 0) return group
    if (snapshot.leader !== null && group.#members.has(snapshot.leader)) group.#members.leaderId = snapshot.leader
    group.#state = 'Stable'
    group.#topics = topicsOf(group, group.#members)
    if (group.#members.size > settings.maxSize) group.#prepareRebalance('it has more members than group.max.size', now)
    return group
  }

  get state(): GroupState {
    return this.#state
  }

  get generationId(): number {
    return this.#generation
  }

  /** The protocol type. Null for a group that has only committed offsets. */
  get protocolType(): string | null {
    return this.#protocolType
  }

  get protocolName(): string | null {
    return this.#protocolName
  }

  get leaderId(): string | null {
    return this.#members.leaderId
  }

  get members(): Iterable<Member> {
    return this.#members.all()
  }

  get size(): number {
    return this.#members.size
  }

  /** The time at which the group entered its current state. -1 if unknown. */
  get stateTimestamp(): number {
    return this.#stateTimestamp
  }

  /**
   * Whether the group has no members, and no client has an assigned member id that it has not used
   * yet.
   */
  get hasNoMembers(): boolean {
    return this.#state === 'Empty' && this.#members.pendingSize === 0
  }

  /**
   * The topics that the members of this generation read. Null if they are unknown, or if the
   * members are not consumers.
   */
  get topics(): ReadonlySet<string> | null {
    return this.#topics
  }

  /** Returns the actions requested since the last call, in order. */
  takeEffects(): GroupEffect[] {
    return this.#out.take()
  }

  /**
   * Returns the latest time at which the caller must call `tick`. Only `join`, `sync`, `leave` and
   * `tick` can move this time to an earlier one.
   */
  nextDeadline(): number {
    return Math.min(this.#joinDeadline, this.#syncDeadline, this.#members.nextExpiry())
  }

  tick(now: number): void {
    if (this.#state === 'Dead') return
    if (this.#members.expirePending(now)) this.#maybeCompleteJoin(now)
    this.#expireSessions(now)
    if (this.#joinDeadline <= now) this.#onJoinDeadline(now)
    if (this.#syncDeadline <= now) this.#onSyncDeadline(now)
  }

  join(r: JoinRequest, waiter: Waiter<JoinReply>, now: number) {
    const reject = (errorCode: number, memberId = r.memberId) => this.#out.rejectJoin(waiter, errorCode, memberId)
    if (this.#state === 'Dead') return reject(ErrorCode.COORDINATOR_NOT_AVAILABLE)
    if (!fitsGroupSize(r.memberId, this.#state, this.#members, this.#settings.maxSize)) {
      this.#drop(r.memberId, 'the group is full', ErrorCode.GROUP_MAX_SIZE_REACHED)
      this.#maybeCompleteJoin(now)
      return reject(ErrorCode.GROUP_MAX_SIZE_REACHED, '')
    }
    if (!sharesProtocol(this, this.#members, r)) return reject(ErrorCode.INCONSISTENT_GROUP_PROTOCOL)
    if (r.memberId === '') return this.#joinWithoutId(r, waiter, now)
    if (this.#members.isPending(r.memberId)) return this.#addMember(r, r.memberId, waiter, now)
    const code = memberCode(this.#members, r.memberId, r.groupInstanceId)
    if (code !== ErrorCode.NONE) return reject(code)
    this.#rejoin(r, this.#members.get(r.memberId)!, waiter, now)
  }

  sync(r: SyncRequest, waiter: Waiter<SyncReply>, now: number) {
    const code = syncCode(this, this.#members, r)
    if (code !== ErrorCode.NONE) return this.#out.answerSync(waiter, this, code, NO_BYTES)
    const member = this.#members.get(r.memberId)!
    this.#pendingSync.delete(r.memberId)
    if (this.#pendingSync.size === 0) this.#syncDeadline = NEVER
    if (this.#state === 'Stable') {
      member.keepAlive(now)
      return this.#out.answerSync(waiter, this, ErrorCode.NONE, member.assignment)
    }
    // The member sent SyncGroup again, and probably no longer waits for the first response. Answer
    // the first request anyway, because every request gets a response.
    if (member.syncWaiter) this.#out.answerSync(member.syncWaiter, this, ErrorCode.REBALANCE_IN_PROGRESS, NO_BYTES)
    member.syncWaiter = waiter
    if (r.memberId !== this.#members.leaderId || this.#out.isAssigning(this.#generation)) return
    const byMember = new Map(r.assignments.map(a => [a.memberId, a.assignment]))
    const assignments = new Map<string, Buffer>()
    for (const m of this.#members.all()) assignments.set(m.memberId, byMember.get(m.memberId) ?? NO_BYTES)
    this.#persist({ kind: 'assignment', generation: this.#generation, assignments }, m => assignments.get(m.memberId)!)
  }

  /** Returns the error code for a heartbeat. */
  heartbeat(memberId: string, groupInstanceId: string | null, generationId: number, now: number): number {
    if (this.#state === 'Dead') return ErrorCode.COORDINATOR_NOT_AVAILABLE
    const code = memberCode(this.#members, memberId, groupInstanceId)
    if (code !== ErrorCode.NONE) return code
    if (generationId !== this.#generation) return ErrorCode.ILLEGAL_GENERATION
    if (this.#state === 'Empty') return ErrorCode.UNKNOWN_MEMBER_ID
    this.#members.get(memberId)!.keepAlive(now)
    return this.#state === 'PreparingRebalance' ? ErrorCode.REBALANCE_IN_PROGRESS : ErrorCode.NONE
  }

  /**
   * Removes members, and returns one error code for each. A leaver without a member id is found by
   * its `group.instance.id`.
   */
  leave(leavers: readonly LeaveRequest[], now: number): number[] {
    if (this.#state === 'Dead') return leavers.map(() => ErrorCode.COORDINATOR_NOT_AVAILABLE)
    let any = false
    const codes = leavers.map(l => {
      let memberId = l.memberId
      if (memberId === '') {
        const current = l.groupInstanceId === null ? undefined : this.#members.staticId(l.groupInstanceId)
        if (current === undefined) return ErrorCode.UNKNOWN_MEMBER_ID
        memberId = current
      } else if (!this.#members.isPending(memberId)) {
        const code = memberCode(this.#members, memberId, l.groupInstanceId)
        if (code !== ErrorCode.NONE) return code
      }
      this.#drop(memberId, l.reason || 'not given', ErrorCode.UNKNOWN_MEMBER_ID)
      any = true
      return ErrorCode.NONE
    })
    if (any) this.#membersLeft('members left', now)
    return codes
  }

  /**
   * Returns the error code for an OffsetCommit. A commit with generation -1 and without a member id
   * comes from a client that only stores offsets in the group. Such a commit is allowed while the
   * group is empty. A member's commit renews its session.
   */
  checkCommit(memberId: string, groupInstanceId: string | null, generationId: number, now: number): number {
    if (this.#state === 'Dead') return ErrorCode.COORDINATOR_NOT_AVAILABLE
    if (generationId < 0 && this.#state === 'Empty') return ErrorCode.NONE
    if (generationId < 0 && memberId === '' && groupInstanceId === null) return ErrorCode.UNKNOWN_MEMBER_ID
    const code = memberCode(this.#members, memberId, groupInstanceId)
    if (code !== ErrorCode.NONE) return code
    if (generationId !== this.#generation) return ErrorCode.ILLEGAL_GENERATION
    if (this.#state === 'CompletingRebalance') return ErrorCode.REBALANCE_IN_PROGRESS
    this.#members.get(memberId)!.keepAlive(now)
    return ErrorCode.NONE
  }

  /**
   * Whether a member of the group reads this topic. True for every topic if a subscription is
   * unreadable.
   */
  isSubscribedTo(topic: string): boolean {
    if (this.#protocolType !== 'consumer' || this.#state === 'Empty') return false
    return this.#topics?.has(topic) ?? true
  }

  /**
   * Reports the outcome of a `persist` action: 0 if the record was written, otherwise an error
   * code.
   */
  persisted(ticket: number, code: number, now: number) {
    const pending = this.#out.written(ticket)
    if (!pending || pending.kind === 'empty' || pending.generation !== this.#generation) return
    if (pending.kind === 'static') return this.#staticPersisted(pending, code, now)
    if (this.#state !== 'CompletingRebalance') return
    if (code !== ErrorCode.NONE) {
      this.#answerSyncs(code, null, now)
      return this.#prepareRebalance('its assignment could not be written', now)
    }
    this.#answerSyncs(ErrorCode.NONE, pending.assignments, now)
    this.#transition('Stable', now)
  }

  /** Ends the group on this broker, and answers all waiting requests with this error code. */
  close(code: number): void {
    for (const m of this.#members.all()) {
      if (m.joinWaiter) this.#out.rejectJoin(m.joinWaiter, code, m.memberId)
      this.#members.setJoinWaiter(m, null)
      if (m.syncWaiter) this.#out.answerSync(m.syncWaiter, this, code, NO_BYTES)
      m.syncWaiter = null
    }
    this.#state = 'Dead'
    this.#joinDeadline = this.#syncDeadline = NEVER
    this.#out.clear()
  }

  #joinWithoutId(r: JoinRequest, waiter: Waiter<JoinReply>, now: number) {
    if (r.groupInstanceId !== null) {
      const current = this.#members.staticId(r.groupInstanceId)
      if (current === undefined) return this.#addMember(r, r.newMemberId, waiter, now)
      return this.#replaceStatic(r, this.#members.get(current)!, waiter, now)
    }
    if (!r.requireKnownMemberId) return this.#addMember(r, r.newMemberId, waiter, now)
    this.#members.addPending(r.newMemberId, now + r.sessionTimeoutMs)
    this.#out.rejectJoin(waiter, ErrorCode.MEMBER_ID_REQUIRED, r.newMemberId)
  }

  #addMember(r: JoinRequest, memberId: string, waiter: Waiter<JoinReply>, now: number): void {
    const member = new Member({ ...r, memberId })
    member.isNew = true
    member.joinWaiter = waiter
    member.sessionDeadline = now + NEW_MEMBER_JOIN_TIMEOUT_MS
    if (this.#members.size === 0) this.#protocolType = r.protocolType
    this.#initialDelay?.memberJoined()
    this.#members.add(member)
    this.#rebalance(`member ${memberId} joins: ${r.reason || 'no reason given'}`, now)
  }

  #rejoin(r: JoinRequest, member: Member, waiter: Waiter<JoinReply>, now: number) {
    const update = (why: string) => {
      this.#update(r, member, waiter)
      this.#rebalance(`${why} ${member.memberId} rejoins: ${r.reason || 'no reason given'}`, now)
    }
    if (this.#state === 'PreparingRebalance') return update('member')
    if (this.#state === 'Empty') return this.#out.rejectJoin(waiter, ErrorCode.UNKNOWN_MEMBER_ID, r.memberId)
    const leads = member.memberId === this.#members.leaderId
    // The leader of a stable group rejoins when its topics have changed. Only a rebalance creates
    // new assignments.
    if (this.#state === 'Stable' && leads) return update('leader')
    if (!member.matches(r.protocols)) return update('with new metadata member')
    // The member probably did not receive the first response, so repeat the response.
    member.keepAlive(now)
    this.#out.answerJoin(waiter, joinReply(this, this.#members, member, leads))
  }

  #update(r: JoinRequest, member: Member, waiter: Waiter<JoinReply>): void {
    if (member.joinWaiter) this.#out.rejectJoin(member.joinWaiter, ErrorCode.REBALANCE_IN_PROGRESS, member.memberId)
    this.#members.setProtocols(member, r.protocols)
    member.sessionTimeoutMs = r.sessionTimeoutMs
    member.rebalanceTimeoutMs = r.rebalanceTimeoutMs
    this.#members.setJoinWaiter(member, waiter)
  }

  /** Gives a static member that joined without its id a new id, and fences the old id. */
  #replaceStatic(r: JoinRequest, old: Member, waiter: Waiter<JoinReply>, now: number) {
    const leaderBefore = this.#members.leaderId
    this.#answerWaits(old, ErrorCode.FENCED_INSTANCE_ID)
    const { assignment } = old
    const member = new Member({ ...r, memberId: r.newMemberId, assignment })
    member.joinWaiter = waiter
    member.keepAlive(now)
    this.#members.replace(old.memberId, member)
    this.#pendingSync.delete(old.memberId)
    if (this.#state !== 'Stable') return this.#rebalance(`static member ${r.groupInstanceId} rejoins`, now)
    if (selectProtocol(this.#members.all()) !== this.#protocolName)
      return this.#rebalance(`static member ${r.groupInstanceId} rejoins and the protocol changes`, now)
    const leads = member.memberId === this.#members.leaderId
    const skipAssignment = leads && r.supportsSkipAssignment
    const full = joinReply(this, this.#members, member, skipAssignment)
    // A client that cannot skip the assignment must not learn that it leads the group. Otherwise it
    // would create new assignments.
    const leader = r.supportsSkipAssignment ? full.leader : (leaderBefore ?? '')
    const reply = { ...full, leader, skipAssignment }
    this.#persist({ kind: 'static', generation: this.#generation, member, previous: old, waiter, reply })
  }

  #staticPersisted(p: Extract<Pending, { kind: 'static' }>, code: number, now: number) {
    const { member, previous } = p
    // If another member has started a rebalance, the rebalance answers this join. If this member
    // was replaced again, its join has already been answered.
    if (this.#state !== 'Stable' || this.#members.get(member.memberId)?.joinWaiter !== p.waiter) return
    this.#members.setJoinWaiter(member, null)
    if (code === ErrorCode.NONE) {
      member.keepAlive(now)
      this.#out.answerJoin(p.waiter, p.reply)
      return
    }
    this.#members.replace(member.memberId, previous)
    previous.keepAlive(now)
    this.#out.rejectJoin(p.waiter, code, '')
  }

  #rebalance(reason: string, now: number) {
    if (this.#state === 'PreparingRebalance') this.#maybeCompleteJoin(now)
    else this.#prepareRebalance(reason, now)
  }

  #prepareRebalance(reason: string, now: number): void {
    if (this.#state === 'CompletingRebalance') this.#answerSyncs(ErrorCode.REBALANCE_IN_PROGRESS, null, now)
    this.#syncDeadline = NEVER
    this.#pendingSync.clear()
    const initial = this.#state === 'Empty'
    this.#transition('PreparingRebalance', now)
    this.#out.log(`rebalances from generation ${this.#generation}: ${reason}`)
    if (initial) {
      const delayMs = this.#settings.initialRebalanceDelayMs
      this.#initialDelay = new InitialDelay(delayMs, this.#members.rebalanceTimeoutMs)
      this.#joinDeadline = now + delayMs
    } else if (this.#members.allJoined) this.#completeJoin(now)
    else this.#joinDeadline = now + this.#members.rebalanceTimeoutMs
  }

  #maybeCompleteJoin(now: number): void {
    if (this.#state === 'PreparingRebalance' && !this.#initialDelay && this.#members.allJoined) this.#completeJoin(now)
  }

  #onJoinDeadline(now: number) {
    const delayMs = this.#initialDelay?.next() ?? 0
    if (delayMs === 0) return this.#completeJoin(now)
    this.#joinDeadline = now + delayMs
  }

  /**
   * Ends the join phase and starts a generation. Removes the dynamic members that did not rejoin.
   * Static members remain until their sessions expire.
   */
  #completeJoin(now: number) {
    this.#joinDeadline = NEVER
    this.#initialDelay = null
    for (const m of [...this.#members.all()])
      if (!m.joinWaiter && m.groupInstanceId === null) {
        this.#members.remove(m.memberId)
        this.#out.log(`removed member ${m.memberId}, which did not rejoin in time`)
      }
    if (this.#members.size > 0 && !this.#members.electJoinedLeader()) {
      // Only static members remain, and none of them has rejoined. Wait until one rejoins or their
      // sessions expire.
      this.#joinDeadline = now + Math.max(this.#members.rebalanceTimeoutMs, MIN_WAIT_MS)
      return
    }
    this.#generation++
    this.#pendingSync.clear()
    if (this.#members.size === 0) {
      this.#protocolName = null
      this.#topics = null
      this.#transition('Empty', now)
      this.#out.log(`is empty in generation ${this.#generation}`)
      return this.#persist({ kind: 'empty' })
    }
    this.#protocolName = selectProtocol(this.#members.all())
    this.#topics = topicsOf(this, this.#members)
    this.#transition('CompletingRebalance', now)
    this.#out.log(`is in generation ${this.#generation} with ${this.#members.size} members`)
    for (const m of this.#members.all()) {
      m.isNew = false
      m.keepAlive(now)
      this.#pendingSync.add(m.memberId)
      const waiter = m.joinWaiter
      this.#members.setJoinWaiter(m, null)
      const leads = m.memberId === this.#members.leaderId
      if (waiter) this.#out.answerJoin(waiter, joinReply(this, this.#members, m, leads))
    }
    this.#syncDeadline = now + this.#members.rebalanceTimeoutMs
  }

  /** Removes the members that did not send SyncGroup in time. */
  #onSyncDeadline(now: number) {
    this.#syncDeadline = NEVER
    if (this.#pendingSync.size === 0 || (this.#state !== 'CompletingRebalance' && this.#state !== 'Stable')) return
    for (const id of [...this.#pendingSync]) this.#drop(id, 'no SyncGroup in time', ErrorCode.UNKNOWN_MEMBER_ID)
    this.#prepareRebalance('members did not sync in time', now)
  }

  #expireSessions(now: number): void {
    const expired = Array.from(this.#members.all()).filter(m => m.expiresAt <= now)
    for (const m of expired) this.#drop(m.memberId, 'its session timed out', ErrorCode.UNKNOWN_MEMBER_ID)
    if (expired.length > 0) this.#membersLeft('sessions timed out', now)
  }

  #membersLeft(reason: string, now: number): void {
    if (this.#state === 'Stable' || this.#state === 'CompletingRebalance') this.#prepareRebalance(reason, now)
    else this.#maybeCompleteJoin(now)
  }

  #drop(memberId: string, reason: string, code: number): void {
    const member = this.#members.get(memberId)
    if (member) this.#answerWaits(member, code)
    this.#members.remove(memberId)
    this.#pendingSync.delete(memberId)
    if (this.#pendingSync.size === 0) this.#syncDeadline = NEVER
    if (member) this.#out.log(`removed member ${memberId}: ${reason}`)
  }

  #answerWaits(member: Member, code: number): void {
    if (member.joinWaiter) this.#out.rejectJoin(member.joinWaiter, code, member.memberId)
    this.#members.setJoinWaiter(member, null)
    if (member.syncWaiter) this.#out.answerSync(member.syncWaiter, this, code, NO_BYTES)
    member.syncWaiter = null
  }

  /**
   * Stores each member's assignment, or an empty one if there was an error. Then answers the
   * members that wait for their assignment, and renews their sessions.
   */
  #answerSyncs(code: number, assignments: ReadonlyMap<string, Buffer> | null, now: number): void {
    for (const m of this.#members.all()) {
      m.assignment = assignments?.get(m.memberId) ?? NO_BYTES
      if (!m.syncWaiter) continue
      this.#out.answerSync(m.syncWaiter, this, code, m.assignment)
      m.syncWaiter = null
      m.keepAlive(now)
    }
  }

  #transition(state: GroupState, now: number): void {
    this.#state = state
    this.#stateTimestamp = now
  }

  #persist(pending: Pending, assignmentOf: (m: Member) => Buffer = m => m.assignment): void {
    this.#out.persist(pending, groupSnapshot(this, this.#members, this.#stateTimestamp, assignmentOf))
  }
}
