import { backoff } from '../../common/async/backoff.ts'
import { sleep } from '../../common/async/sleep.ts'
import { timerMs } from '../../common/async/timer.ts'
import { messageOf } from '../../common/errors/error-table.ts'
import { ErrorCode, errorFor, kafkaCodeOf } from '../../protocol/error-codes.ts'
import { JoinGroupRequest, JoinGroupResponse } from '../../protocol/messages/11-join-group.ts'
import { HeartbeatRequest, HeartbeatResponse } from '../../protocol/messages/12-heartbeat.ts'
import { LeaveGroupRequest, LeaveGroupResponse } from '../../protocol/messages/13-leave-group.ts'
import { SyncGroupRequest, SyncGroupResponse } from '../../protocol/messages/14-sync-group.ts'
import { defineApi } from '../net/api.ts'
import type { GroupCoordinator } from './coordinator.ts'
import { MemberState, type MemberTimings, type NextStep } from './member-state.ts'

const JoinGroup = defineApi(JoinGroupRequest, JoinGroupResponse, { min: 2 })
const SyncGroup = defineApi(SyncGroupRequest, SyncGroupResponse)
const Heartbeat = defineApi(HeartbeatRequest, HeartbeatResponse)
const LeaveGroup = defineApi(LeaveGroupRequest, LeaveGroupResponse)

/**
 * The extra time to wait for the response to a join, after the rebalance timeout, in milliseconds.
 */
const JOIN_GRACE_MS = 5000

export interface GroupMember {
  readonly memberId: string
  readonly groupInstanceId: string | null
  readonly metadata: Buffer
}

/**
 * The part of the group protocol that differs between the types of groups. `consumer` assigns
 * partitions, and `connect` assigns connectors and tasks.
 */
export interface GroupProtocol {
  readonly protocolType: string
  /** Returns the assignors with their metadata, in order of preference. */
  metadata(): readonly { readonly name: string; readonly metadata: Buffer }[]
  /**
   * Returns the assignment of each member. Called only on the leader. May wait for cluster
   * metadata.
   */
  assign(protocol: string, members: readonly GroupMember[]): Promise<ReadonlyMap<string, Buffer>>
  /**
   * Awaited in `tick` before joining. If `lost` is true, the coordinator has removed this member,
   * which therefore owns nothing.
   */
  onPrepare(lost: boolean): Promise<void>
  /** Awaited in `tick` after each successful join. */
  onJoined(joined: Joined): Promise<void>
}

export interface Joined {
  readonly generation: number
  readonly memberId: string
  readonly protocol: string
  readonly isLeader: boolean
  readonly assignment: Buffer
}

export interface MembershipOptions extends MemberTimings {
  readonly groupInstanceId: string | null
  /** The time that the coordinator waits for all members to join a rebalance, in milliseconds. */
  readonly rebalanceTimeoutMs: number
}

/**
 * The membership in a classic group. Joins, syncs and sends heartbeats in the background. Calls
 * `onPrepare` and `onJoined` of the protocol only within `tick`. The owner calls `tick` repeatedly,
 * and soon after each `onEvent`.
 */
export class Membership {
  readonly state: MemberState
  readonly #coordinator: GroupCoordinator
  readonly #protocol: GroupProtocol
  readonly #options: MembershipOptions
  readonly #onEvent: () => void
  readonly #stop = new AbortController()
  #joining = false
  /**
   * The number of times that the member has left. If this number has changed since an operation
   * started, the result of the operation is ignored.
   */
  #left = 0
  #prepared = false
  #joined: Joined | null = null
  #failure: Error | null = null
  #timer: NodeJS.Timeout | null = null
  #isHeartbeatPending = false

  constructor(coordinator: GroupCoordinator, protocol: GroupProtocol, options: MembershipOptions, onEvent: () => void) {
    this.#coordinator = coordinator
    this.#protocol = protocol
    this.#options = options
    this.#onEvent = onEvent
    this.state = new MemberState(options)
  }

  /**
   * Calls the protocol's methods that are due, and starts a join if necessary. Throws fatal errors.
   * Call it repeatedly, but wait for each call before the next one.
   */
  async tick(): Promise<void> {
    this.state.polled(performance.now())
    for (;;) {
      this.#throwFailure()
      const joined = this.#joined
      if (joined) {
        this.#joined = null
        this.#prepared = false
        // If the coordinator has removed this member in the meantime, the assignment is invalid,
        // and the next tick reports the loss.
        if (joined.generation === this.state.generation) await this.#protocol.onJoined(joined)
        continue
      }
      if (this.#joining || !this.state.needsJoin) return
      if (!this.#prepared) {
        this.#prepared = true
        const { lost } = this.state
        this.state.lost = false
        await this.#protocol.onPrepare(lost)
        continue
      }
      this.#startJoin()
      return
    }
  }

  /** Whether the member is stable and `tick` has nothing to do. */
  get isStable(): boolean {
    return this.state.phase === 'stable' && this.#joined === null && !this.state.needsJoin
  }

  requestRejoin(reason: string): void {
    this.state.requestRejoin(reason)
    this.#onEvent()
  }

  /**
   * Leaves the group. `lost` means that the user did not request this. Never rejects. If the
   * request fails, the coordinator removes the member after the session timeout.
   */
  async leave(reason: string, lost: boolean, timeoutMs: number): Promise<void> {
    const { memberId } = this.state
    const { groupInstanceId } = this.#options
    this.#stopHeartbeat()
    this.#left++
    this.#joined = null
    this.#prepared = false
    this.state.left(lost)
    if (memberId === '' || groupInstanceId !== null || !this.#coordinator.known) return
    try {
      const response = await this.#coordinator.request(
        LeaveGroup,
        version =>
          version >= 3
            ? {
                groupId: this.#coordinator.groupId,
                members: [{ memberId, groupInstanceId, reason }].map(m =>
                  version >= 5 ? m : { memberId, groupInstanceId },
                ),
              }
            : { groupId: this.#coordinator.groupId, memberId },
        // A pending join may block the group connection, so use the control connection.
        { lane: 'control', timeoutMs },
      )
      if (response.errorCode !== 0) throw errorFor(response.errorCode)
    } catch (error) {
      this.#log.debug(`Leaving group ${this.#coordinator.groupId} failed: ${messageOf(error)}`)
    }
  }

  /** Stops the background work. */
  close(): void {
    this.#stopHeartbeat()
    this.#stop.abort(new Error('the member is closed'))
  }

  get #log() {
    return this.#coordinator.cluster.options.logger
  }

  #throwFailure(): void {
    const failure = this.#failure
    if (!failure) return
    // Another consumer uses the same group.instance.id. Keep the error, because joining again would
    // fence that consumer.
    if (kafkaCodeOf(failure) !== ErrorCode.FENCED_INSTANCE_ID) this.#failure = null
    throw failure
  }

  #startJoin(): void {
    this.#joining = true
    const before = this.#left
    this.#joinUntilDone(before).then(
      async joined => {
        // The member left during the join, but the coordinator has added it. Leave again.
        if (this.#left !== before && this.state.isMember) {
          await this.leave('left while joining', false, this.#coordinator.cluster.options.requestTimeoutMs)
        }
        this.#joining = false
        this.#joined = joined
        // The coordinator removed the member during the join. Call `onPrepare` again to report the
        // loss before the next join.
        if (joined === null) this.#prepared = false
        this.#onEvent()
      },
      error => {
        this.#joining = false
        if (this.#stop.signal.aborted) return
        // The error may also come from this client, for example from the assignor. The next tick
        // joins again.
        this.state.joinFailed()
        this.#failure = error as Error
        this.#onEvent()
      },
    )
  }

  /**
   * Joins, and retries retriable errors. Returns null if the coordinator has removed this member,
   * or if the member has left in the meantime.
   */
  async #joinUntilDone(before: number): Promise<Joined | null> {
    const { retryBackoffMs, retryBackoffMaxMs } = this.#coordinator.cluster.options
    const delays = backoff({ initialMs: retryBackoffMs, maxMs: retryBackoffMaxMs })
    for (;;) {
      this.#stop.signal.throwIfAborted()
      let step: NextStep
      try {
        const joined = await this.#joinOnce(before)
        if (typeof joined !== 'string') return joined
        step = joined
      } catch (error) {
        if (this.#stop.signal.aborted || (error as { retriable?: boolean }).retriable !== true) throw error
        this.state.joinFailed()
        this.#log.debug(`Joining group ${this.#coordinator.groupId} failed; retrying: ${messageOf(error)}`)
        step = this.#coordinator.forgetAfter(error) ? 'find-coordinator' : 'rejoin'
      }
      if (this.state.lost || this.#left !== before) return null
      if (step === 'find-coordinator') this.#coordinator.forget()
      if (step !== 'again') await sleep(delays.next(), this.#stop.signal)
    }
  }

  async #joinOnce(before: number): Promise<Joined | NextStep> {
    const { groupId, cluster } = this.#coordinator
    const { groupInstanceId, sessionTimeoutMs, rebalanceTimeoutMs } = this.#options
    const { protocolType } = this.#protocol
    const { signal } = this.#stop
    const reason = this.state.rejoinReason
    this.state.joinSent()
    this.#stopHeartbeat()
    const join = await this.#coordinator.request(
      JoinGroup,
      version => ({
        groupId,
        sessionTimeoutMs,
        rebalanceTimeoutMs,
        memberId: this.state.memberId,
        groupInstanceId,
        protocolType,
        protocols: this.#protocol.metadata().map(p => ({ name: p.name, metadata: p.metadata })),
        ...(version >= 8 ? { reason: (reason ?? '').slice(0, 255) } : {}),
      }),
      {
        lane: 'group',
        timeoutMs: Math.max(cluster.options.requestTimeoutMs, rebalanceTimeoutMs + JOIN_GRACE_MS),
        signal,
      },
    )
    const joinStep = this.state.joinAnswered(
      join.errorCode,
      { memberId: join.memberId, generation: join.generationId },
      performance.now(),
    )
    if (joinStep === 'fail')
      throw errorFor(join.errorCode, `joining group ${groupId}: ${errorFor(join.errorCode).detail}`)
    if (joinStep !== 'done') return joinStep
    if (this.#left !== before) return 'rejoin'
    const { memberId, generation } = this.state
    this.#log.debug(`Joined group ${groupId} as member ${memberId}, generation ${generation}`)
    // Computing the assignment may take long, so the leader must already send heartbeats.
    this.#armHeartbeat()
    const isLeader = join.leader === memberId
    const protocol = join.protocolName ?? ''
    let assignments: { memberId: string; assignment: Buffer }[] = []
    if (isLeader) {
      const given = await this.#protocol.assign(protocol, join.members)
      // For a static leader that rejoins, the coordinator keeps the old assignment (KIP-814). The
      // leader needs the members only to watch their topics.
      if (!join.skipAssignment) assignments = [...given].map(([id, assignment]) => ({ memberId: id, assignment }))
    }
    const sync = await this.#coordinator.request(
      SyncGroup,
      version => ({
        groupId,
        generationId: generation,
        memberId,
        groupInstanceId,
        ...(version >= 5 ? { protocolType, protocolName: protocol } : {}),
        assignments,
      }),
      {
        lane: 'group',
        timeoutMs: Math.max(cluster.options.requestTimeoutMs, rebalanceTimeoutMs + JOIN_GRACE_MS),
        signal,
      },
    )
    if (this.state.generation !== generation || this.state.phase !== 'syncing') return 'rejoin'
    const syncStep = this.state.syncAnswered(sync.errorCode, performance.now())
    if (syncStep === 'fail')
      throw errorFor(sync.errorCode, `syncing group ${groupId}: ${errorFor(sync.errorCode).detail}`)
    if (syncStep !== 'done') return syncStep
    return { generation, memberId, protocol, isLeader, assignment: sync.assignment }
  }

  #armHeartbeat(): void {
    if (this.#timer || this.#stop.signal.aborted || !this.state.sendsHeartbeats) return
    this.#timer = setTimeout(
      () => {
        this.#timer = null
        this.#heartbeat()
      },
      timerMs(this.state.nextHeartbeat - performance.now()),
    )
  }

  #stopHeartbeat(): void {
    if (this.#timer) clearTimeout(this.#timer)
    this.#timer = null
  }

  #heartbeat(): void {
    const now = performance.now()
    if (!this.state.sendsHeartbeats || this.#isHeartbeatPending || this.#stop.signal.aborted) return
    if (this.state.pollExpired(now)) {
      this.#log.warn(
        `The application did not poll within max.poll.interval.ms (${this.#options.maxPollIntervalMs} ms). Leaving group ${this.#coordinator.groupId}`,
      )
      // This promise never rejects.
      void this.leave('max.poll.interval.ms exceeded', true, this.#coordinator.cluster.options.requestTimeoutMs).then(
        this.#onEvent,
      )
      return
    }
    if (this.state.sessionExpired(now)) this.#coordinator.forget()
    this.state.heartbeatSent(now)
    this.#isHeartbeatPending = true
    // This promise never rejects.
    void this.#sendHeartbeat().then(() => {
      this.#isHeartbeatPending = false
      this.#armHeartbeat()
    })
  }

  /** Sends a heartbeat, and changes the state if the response is an error. Never rejects. */
  async #sendHeartbeat(): Promise<void> {
    const { generation, memberId } = this.state
    const { groupId } = this.#coordinator
    const { groupInstanceId, sessionTimeoutMs } = this.#options
    try {
      const response = await this.#coordinator.request(
        Heartbeat,
        { groupId, generationId: generation, memberId, groupInstanceId },
        {
          lane: 'group',
          timeoutMs: Math.min(this.#coordinator.cluster.options.requestTimeoutMs, sessionTimeoutMs),
          signal: this.#stop.signal,
        },
      )
      const step = this.state.heartbeatAnswered(response.errorCode, generation, performance.now())
      if (step === 'find-coordinator') this.#coordinator.forget()
      if (step === 'fail') {
        this.#failure = errorFor(
          response.errorCode,
          `heartbeat of group ${groupId}: ${errorFor(response.errorCode).detail}`,
        )
        if (response.errorCode === ErrorCode.FENCED_INSTANCE_ID) this.state.left(true)
      }
      if (step !== 'done') this.#onEvent()
    } catch (error) {
      if (!this.#stop.signal.aborted) this.#log.debug(`The heartbeat to group ${groupId} failed: ${messageOf(error)}`)
    }
  }
}
