import { ErrorCode } from '../../../protocol/error-codes.ts'
import { hasRoomFor, memberCode, speaksWith, syncCode } from './checks.ts'
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

/** How long a member without an id may wait in a join: it cannot show that it is alive. As in Kafka. */
const NEW_MEMBER_JOIN_TIMEOUT_MS = 5 * 60_000
/** The least time to wait once more for static members, whatever rebalance timeout they ask for. */
const MIN_WAIT_MS = 1000
const NEVER = Number.POSITIVE_INFINITY

/**
 * One group of the classic protocol (consumers, Connect's workers, anyone), as a state machine without I/O and without a clock:
 * every call says what time it is, and what has to be done is left in `takeEffects()`. Whoever drives it calls `tick` when
 * `nextDeadline()` has come. States, transitions and error codes are those of Kafka 4.3's group coordinator.
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
  /** In the first rebalance of an empty group. */
  #initialDelay: InitialDelay | null = null

  constructor(groupId: string, settings: GroupSettings, now: number) {
    this.groupId = groupId
    this.#settings = settings
    this.#stateTimestamp = now
  }

  /** A group as its record says, all its members' sessions starting anew. */
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

  /** Null for a group that only ever had offsets committed to it. */
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

  /** When it came into its state; -1 unknown. */
  get stateTimestamp(): number {
    return this.#stateTimestamp
  }

  /** Nobody is in it or about to come in. */
  get isVacant(): boolean {
    return this.#state === 'Empty' && this.#members.pendingSize === 0
  }

  /** The topics that its members read, as of this generation; null when that is unknown or no matter of consumers. */
  get topics(): ReadonlySet<string> | null {
    return this.#topics
  }

  /** What is to be done since the last time, in order. */
  takeEffects(): GroupEffect[] {
    return this.#out.take()
  }

  /** The time at which `tick` must be called at the latest. It only moves to earlier times by join, sync, leave and tick. */
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
    const refuse = (errorCode: number, memberId = r.memberId) => this.#out.refuseJoin(waiter, errorCode, memberId)
    if (this.#state === 'Dead') return refuse(ErrorCode.COORDINATOR_NOT_AVAILABLE)
    if (!hasRoomFor(r.memberId, this.#state, this.#members, this.#settings.maxSize)) {
      this.#drop(r.memberId, 'the group is full', ErrorCode.GROUP_MAX_SIZE_REACHED)
      this.#maybeCompleteJoin(now)
      return refuse(ErrorCode.GROUP_MAX_SIZE_REACHED, '')
    }
    if (!speaksWith(this, this.#members, r)) return refuse(ErrorCode.INCONSISTENT_GROUP_PROTOCOL)
    if (r.memberId === '') return this.#joinWithoutId(r, waiter, now)
    if (this.#members.isPending(r.memberId)) return this.#addMember(r, r.memberId, waiter, now)
    const code = memberCode(this.#members, r.memberId, r.groupInstanceId)
    if (code !== ErrorCode.NONE) return refuse(code)
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
    // Asked twice: the first asker is most likely gone, but nobody is left without an answer.
    if (member.syncWaiter) this.#out.answerSync(member.syncWaiter, this, ErrorCode.REBALANCE_IN_PROGRESS, NO_BYTES)
    member.syncWaiter = waiter
    if (r.memberId !== this.#members.leaderId || this.#out.isAssigning(this.#generation)) return
    const given = new Map(r.assignments.map(a => [a.memberId, a.assignment]))
    const assignments = new Map<string, Buffer>()
    for (const m of this.#members.all()) assignments.set(m.memberId, given.get(m.memberId) ?? NO_BYTES)
    this.#persist({ kind: 'assignment', generation: this.#generation, assignments }, m => assignments.get(m.memberId)!)
  }

  /** The heartbeat's error code. */
  heartbeat(memberId: string, groupInstanceId: string | null, generationId: number, now: number): number {
    if (this.#state === 'Dead') return ErrorCode.COORDINATOR_NOT_AVAILABLE
    const code = memberCode(this.#members, memberId, groupInstanceId)
    if (code !== ErrorCode.NONE) return code
    if (generationId !== this.#generation) return ErrorCode.ILLEGAL_GENERATION
    if (this.#state === 'Empty') return ErrorCode.UNKNOWN_MEMBER_ID
    this.#members.get(memberId)!.keepAlive(now)
    return this.#state === 'PreparingRebalance' ? ErrorCode.REBALANCE_IN_PROGRESS : ErrorCode.NONE
  }

  /** Takes members out; one error code for each. Without a member id the current member of a `group.instance.id` is meant. */
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
   * Whether an OffsetCommit is to be taken: its error code. Generation -1 without a member is a commit by someone who does
   * not use the group's membership, allowed while the group is empty. A member's commit is a sign of life.
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

  /** Whether somebody in the group reads this topic (as far as can be told). */
  isSubscribedTo(topic: string): boolean {
    if (this.#protocolType !== 'consumer' || this.#state === 'Empty') return false
    return this.#topics?.has(topic) ?? true
  }

  /** A record that an effect asked for was written (code 0), or could not be. */
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

  /** The end of it, here: everyone who waits gets this error code. */
  close(code: number): void {
    for (const m of this.#members.all()) {
      if (m.joinWaiter) this.#out.refuseJoin(m.joinWaiter, code, m.memberId)
      this.#members.setJoinWaiter(m, null)
      if (m.syncWaiter) this.#out.answerSync(m.syncWaiter, this, code, NO_BYTES)
      m.syncWaiter = null
    }
    this.#state = 'Dead'
    this.#joinDeadline = this.#syncDeadline = NEVER
    this.#out.forget()
  }

  #joinWithoutId(r: JoinRequest, waiter: Waiter<JoinReply>, now: number) {
    if (r.groupInstanceId !== null) {
      const current = this.#members.staticId(r.groupInstanceId)
      if (current === undefined) return this.#addMember(r, r.newMemberId, waiter, now)
      return this.#replaceStatic(r, this.#members.get(current)!, waiter, now)
    }
    if (!r.requireKnownMemberId) return this.#addMember(r, r.newMemberId, waiter, now)
    this.#members.addPending(r.newMemberId, now + r.sessionTimeoutMs)
    this.#out.refuseJoin(waiter, ErrorCode.MEMBER_ID_REQUIRED, r.newMemberId)
  }

  #addMember(r: JoinRequest, memberId: string, waiter: Waiter<JoinReply>, now: number): void {
    const member = new Member({ ...r, memberId })
    member.isNew = true
    member.joinWaiter = waiter
    member.sessionDeadline = now + NEW_MEMBER_JOIN_TIMEOUT_MS
    if (this.#members.size === 0) this.#protocolType = r.protocolType
    this.#initialDelay?.memberCame()
    this.#members.add(member)
    this.#rebalance(`member ${memberId} joins: ${r.reason || 'no reason given'}`, now)
  }

  #rejoin(r: JoinRequest, member: Member, waiter: Waiter<JoinReply>, now: number) {
    const update = (why: string) => {
      this.#update(r, member, waiter)
      this.#rebalance(`${why} ${member.memberId} rejoins: ${r.reason || 'no reason given'}`, now)
    }
    if (this.#state === 'PreparingRebalance') return update('member')
    if (this.#state === 'Empty') return this.#out.refuseJoin(waiter, ErrorCode.UNKNOWN_MEMBER_ID, r.memberId)
    const leads = member.memberId === this.#members.leaderId
    // A leader of a stable group that rejoins has seen its topics change: only a rebalance gives everybody a new assignment.
    if (this.#state === 'Stable' && leads) return update('leader')
    if (!member.matches(r.protocols)) return update('with new metadata member')
    // It most likely missed our answer: here is the same one again.
    member.keepAlive(now)
    this.#out.answerJoin(waiter, joinReply(this, this.#members, member, leads))
  }

  #update(r: JoinRequest, member: Member, waiter: Waiter<JoinReply>): void {
    if (member.joinWaiter) this.#out.refuseJoin(member.joinWaiter, ErrorCode.REBALANCE_IN_PROGRESS, member.memberId)
    this.#members.setProtocols(member, r.protocols)
    member.sessionTimeoutMs = r.sessionTimeoutMs
    member.rebalanceTimeoutMs = r.rebalanceTimeoutMs
    this.#members.setJoinWaiter(member, waiter)
  }

  /** A static member came back without its id: it goes on under a new one, and the old one is fenced. */
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
    // A leader that cannot be told to skip the assignment must not know that it leads, or it would assign anew.
    const leader = r.supportsSkipAssignment ? full.leader : (leaderBefore ?? '')
    const reply = { ...full, leader, skipAssignment }
    this.#persist({ kind: 'static', generation: this.#generation, member, previous: old, waiter, reply })
  }

  #staticPersisted(p: Extract<Pending, { kind: 'static' }>, code: number, now: number) {
    const { member, previous } = p
    // Someone else started a rebalance meanwhile (it answers), or this one was replaced again (it was answered).
    if (this.#state !== 'Stable' || this.#members.get(member.memberId)?.joinWaiter !== p.waiter) return
    this.#members.setJoinWaiter(member, null)
    if (code === ErrorCode.NONE) {
      member.keepAlive(now)
      this.#out.answerJoin(p.waiter, p.reply)
      return
    }
    this.#members.replace(member.memberId, previous)
    previous.keepAlive(now)
    this.#out.refuseJoin(p.waiter, code, '')
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
    this.#out.note(`rebalances from generation ${this.#generation}: ${reason}`)
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

  /** Ends the join phase: those who did not come are out (static members stay until their session ends), a generation begins. */
  #completeJoin(now: number) {
    this.#joinDeadline = NEVER
    this.#initialDelay = null
    for (const m of [...this.#members.all()])
      if (!m.joinWaiter && m.groupInstanceId === null) {
        this.#members.remove(m.memberId)
        this.#out.note(`removed member ${m.memberId}, which did not rejoin in time`)
      }
    if (this.#members.size > 0 && !this.#members.electJoined()) {
      // Only static members are left, and none has come back: wait for one, or for their sessions to end.
      this.#joinDeadline = now + Math.max(this.#members.rebalanceTimeoutMs, MIN_WAIT_MS)
      return
    }
    this.#generation++
    this.#pendingSync.clear()
    if (this.#members.size === 0) {
      this.#protocolName = null
      this.#topics = null
      this.#transition('Empty', now)
      this.#out.note(`is empty in generation ${this.#generation}`)
      return this.#persist({ kind: 'empty' })
    }
    this.#protocolName = selectProtocol(this.#members.all())
    this.#topics = topicsOf(this, this.#members)
    this.#transition('CompletingRebalance', now)
    this.#out.note(`is in generation ${this.#generation} with ${this.#members.size} members`)
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

  /** Those who never asked for their assignment are out. */
  #onSyncDeadline(now: number) {
    this.#syncDeadline = NEVER
    if (this.#pendingSync.size === 0 || (this.#state !== 'CompletingRebalance' && this.#state !== 'Stable')) return
    for (const id of [...this.#pendingSync]) this.#drop(id, 'no SyncGroup in time', ErrorCode.UNKNOWN_MEMBER_ID)
    this.#prepareRebalance('members did not sync in time', now)
  }

  #expireSessions(now: number): void {
    const gone = Array.from(this.#members.all()).filter(m => m.expiresAt <= now)
    for (const m of gone) this.#drop(m.memberId, 'its session timed out', ErrorCode.UNKNOWN_MEMBER_ID)
    if (gone.length > 0) this.#membersLeft('sessions timed out', now)
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
    if (member) this.#out.note(`removed member ${memberId}: ${reason}`)
  }

  #answerWaits(member: Member, code: number): void {
    if (member.joinWaiter) this.#out.refuseJoin(member.joinWaiter, code, member.memberId)
    this.#members.setJoinWaiter(member, null)
    if (member.syncWaiter) this.#out.answerSync(member.syncWaiter, this, code, NO_BYTES)
    member.syncWaiter = null
  }

  /** Gives everyone its assignment (none with an error) and answers those who wait for it; sessions start anew. */
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
