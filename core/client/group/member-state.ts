import { ErrorCode } from '../../protocol/error-codes.ts'

/** What to do after an answer of the coordinator. */
export type NextStep =
  | 'done'
  /** Send the same again, at once. */
  | 'again'
  /** Join again after a back-off. */
  | 'rejoin'
  /** The coordinator is elsewhere: find it, then join again. */
  | 'find-coordinator'
  /** It cannot go on: tell the user. */
  | 'fail'

export interface MemberTimings {
  readonly sessionTimeoutMs: number
  readonly heartbeatIntervalMs: number
  readonly maxPollIntervalMs: number
}

export const NO_GENERATION = -1

/**
 * A member of a classic group, as a state machine without clock or network (after Java's AbstractCoordinator). Times are milliseconds
 * of any one clock.
 */
export class MemberState {
  readonly #timings: MemberTimings
  memberId = ''
  generation = NO_GENERATION
  phase: 'unjoined' | 'joining' | 'syncing' | 'stable' = 'unjoined'
  /** Why to join (again) although nothing is wrong: said to the coordinator. */
  rejoinReason: string | null = null
  /** The coordinator no longer knows us: what we owned is someone else's. */
  lost = false
  #lastHeartbeat = 0
  #lastAnswer = 0
  #lastPoll = 0

  constructor(timings: MemberTimings) {
    this.#timings = timings
  }

  get needsJoin(): boolean {
    return this.phase === 'unjoined' || (this.phase === 'stable' && this.rejoinReason !== null)
  }

  get isMember(): boolean {
    return this.generation !== NO_GENERATION
  }

  requestRejoin(reason: string): void {
    this.rejoinReason ??= reason
  }

  joinSent(): void {
    this.phase = 'joining'
    this.rejoinReason = null
  }

  joinAnswered(code: number, answer: { memberId: string; generation: number }, now: number): NextStep {
    if (code === ErrorCode.NONE) {
      this.memberId = answer.memberId
      this.generation = answer.generation
      this.phase = 'syncing'
      this.#lastHeartbeat = now
      this.#lastAnswer = now
      return 'done'
    }
    this.phase = 'unjoined'
    switch (code) {
      case ErrorCode.MEMBER_ID_REQUIRED:
        this.memberId = answer.memberId
        this.generation = NO_GENERATION
        return 'again'
      case ErrorCode.UNKNOWN_MEMBER_ID:
        this.#forgetMembership(true)
        return 'rejoin'
      case ErrorCode.COORDINATOR_LOAD_IN_PROGRESS:
      case ErrorCode.REBALANCE_IN_PROGRESS:
        return 'rejoin'
      case ErrorCode.COORDINATOR_NOT_AVAILABLE:
      case ErrorCode.NOT_COORDINATOR:
        return 'find-coordinator'
      default:
        return 'fail'
    }
  }

  syncAnswered(code: number, now: number): NextStep {
    if (code === ErrorCode.NONE) {
      this.phase = 'stable'
      this.#lastAnswer = now
      return 'done'
    }
    this.phase = 'unjoined'
    switch (code) {
      case ErrorCode.REBALANCE_IN_PROGRESS:
        return 'again'
      case ErrorCode.UNKNOWN_MEMBER_ID:
        this.#forgetMembership(true)
        return 'rejoin'
      case ErrorCode.ILLEGAL_GENERATION:
        this.#forgetMembership(false)
        return 'rejoin'
      case ErrorCode.COORDINATOR_LOAD_IN_PROGRESS:
        return 'rejoin'
      case ErrorCode.COORDINATOR_NOT_AVAILABLE:
      case ErrorCode.NOT_COORDINATOR:
        return 'find-coordinator'
      default:
        return 'fail'
    }
  }

  /** The request did not come through. The member id stays: the coordinator may have taken us in. */
  joinFailed(): void {
    this.phase = 'unjoined'
  }

  /** Whether heartbeats are owed in this phase. */
  get beats(): boolean {
    return this.isMember && (this.phase === 'stable' || this.phase === 'syncing')
  }

  /** When the next heartbeat is to be sent. */
  get nextHeartbeat(): number {
    return this.#lastHeartbeat + this.#timings.heartbeatIntervalMs
  }

  heartbeatSent(now: number): void {
    this.#lastHeartbeat = now
  }

  /** `generation`: the one that the heartbeat was sent in; answers to older ones mean nothing. */
  heartbeatAnswered(code: number, generation: number, now: number): NextStep {
    if (code === ErrorCode.NONE) {
      this.#lastAnswer = now
      return 'done'
    }
    if (generation !== this.generation || !this.beats) return 'done'
    switch (code) {
      case ErrorCode.REBALANCE_IN_PROGRESS:
        this.#lastAnswer = now
        if (this.phase === 'stable') this.requestRejoin('the group is rebalancing')
        return 'rejoin'
      case ErrorCode.UNKNOWN_MEMBER_ID:
        this.#forgetMembership(true)
        this.phase = 'unjoined'
        return 'rejoin'
      case ErrorCode.ILLEGAL_GENERATION:
        this.#forgetMembership(false)
        this.phase = 'unjoined'
        return 'rejoin'
      case ErrorCode.COORDINATOR_NOT_AVAILABLE:
      case ErrorCode.NOT_COORDINATOR:
        return 'find-coordinator'
      case ErrorCode.COORDINATOR_LOAD_IN_PROGRESS:
        return 'done'
      default:
        return 'fail'
    }
  }

  /** A commit was refused: what that says about the membership. */
  commitRefused(code: number, generation: number): void {
    if (generation !== this.generation) return
    if (code === ErrorCode.REBALANCE_IN_PROGRESS) this.requestRejoin('the group is rebalancing')
    if (code !== ErrorCode.UNKNOWN_MEMBER_ID && code !== ErrorCode.ILLEGAL_GENERATION) return
    this.#forgetMembership(code === ErrorCode.UNKNOWN_MEMBER_ID)
    if (this.phase === 'stable') this.phase = 'unjoined'
  }

  /** No answer for so long that the coordinator will have removed us. */
  sessionExpired(now: number): boolean {
    return this.beats && now - this.#lastAnswer > this.#timings.sessionTimeoutMs
  }

  polled(now: number): void {
    this.#lastPoll = now
  }

  /** The user has not polled for longer than `max.poll.interval.ms`: the member must leave, since it seems stuck. */
  pollExpired(now: number): boolean {
    return this.beats && now - this.#lastPoll > this.#timings.maxPollIntervalMs
  }

  /** After leaving. `lost`: not by the user's wish, so what was owned may be someone else's already. */
  left(lost: boolean): void {
    this.#forgetMembership(true)
    this.lost = lost
    this.phase = 'unjoined'
  }

  #forgetMembership(memberIdToo: boolean): void {
    if (this.isMember) this.lost = true
    this.generation = NO_GENERATION
    if (memberIdToo) this.memberId = ''
  }
}
