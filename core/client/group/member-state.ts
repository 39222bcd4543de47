import { ErrorCode } from '../../protocol/error-codes.ts'

/** The next step after a response from the coordinator. */
export type NextStep =
  | 'done'
  /** Send the request again at once. */
  | 'again'
  /** Join again after a back-off. */
  | 'rejoin'
  /** Find the new coordinator, then join again. */
  | 'find-coordinator'
  /** Report a fatal error to the user. */
  | 'fail'

export interface MemberTimings {
  readonly sessionTimeoutMs: number
  readonly heartbeatIntervalMs: number
  readonly maxPollIntervalMs: number
}

export const NO_GENERATION = -1

/**
 * The state machine of a member of a classic group, modelled on Java's AbstractCoordinator. Has no
 * clock and does no I/O. All times are milliseconds of the caller's clock.
 */
export class MemberState {
  readonly #timings: MemberTimings
  memberId = ''
  generation = NO_GENERATION
  phase: 'unjoined' | 'joining' | 'syncing' | 'stable' = 'unjoined'
  /**
   * Why the member must join again although no error occurred. The member sends this reason to the
   * coordinator.
   */
  rejoinReason: string | null = null
  /** Whether the member has lost its membership. In this case, it has also lost its partitions. */
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

  /**
   * Handles a failed request to join. Keeps the member id, because the coordinator may have added
   * the member.
   */
  joinFailed(): void {
    this.phase = 'unjoined'
  }

  /** Whether the member must send heartbeats in its current phase. */
  get sendsHeartbeats(): boolean {
    return this.isMember && (this.phase === 'stable' || this.phase === 'syncing')
  }

  /** The time when the next heartbeat is due. */
  get nextHeartbeat(): number {
    return this.#lastHeartbeat + this.#timings.heartbeatIntervalMs
  }

  heartbeatSent(now: number): void {
    this.#lastHeartbeat = now
  }

  /**
   * Handles the response to a heartbeat. `generation` is the generation in the request. Errors for
   * older generations are ignored.
   */
  heartbeatAnswered(code: number, generation: number, now: number): NextStep {
    if (code === ErrorCode.NONE) {
      this.#lastAnswer = now
      return 'done'
    }
    if (generation !== this.generation || !this.sendsHeartbeats) return 'done'
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

  /**
   * Handles a rejected commit. The error code may mean that the group is rebalancing or has removed
   * the member.
   */
  commitRejected(code: number, generation: number): void {
    if (generation !== this.generation) return
    if (code === ErrorCode.REBALANCE_IN_PROGRESS) this.requestRejoin('the group is rebalancing')
    if (code !== ErrorCode.UNKNOWN_MEMBER_ID && code !== ErrorCode.ILLEGAL_GENERATION) return
    this.#forgetMembership(code === ErrorCode.UNKNOWN_MEMBER_ID)
    if (this.phase === 'stable') this.phase = 'unjoined'
  }

  /**
   * Returns whether the session timeout has passed without a response. The coordinator has then
   * removed this member.
   */
  sessionExpired(now: number): boolean {
    return this.sendsHeartbeats && now - this.#lastAnswer > this.#timings.sessionTimeoutMs
  }

  polled(now: number): void {
    this.#lastPoll = now
  }

  /**
   * Returns whether the user has not polled for `max.poll.interval.ms`. The member must then leave,
   * because its application seems to be blocked.
   */
  pollExpired(now: number): boolean {
    return this.sendsHeartbeats && now - this.#lastPoll > this.#timings.maxPollIntervalMs
  }

  /**
   * Resets the state after the member has left. `lost` means that the user did not request this,
   * and that other members may own the partitions now.
   */
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
