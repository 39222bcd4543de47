import { consumerSettings } from '../../client/consumer/options.ts'
import { createStandIn, type StandIn, toClientOptions } from '../../client/index.ts'
import type { GroupMetadata } from '../../client/types.ts'
import { messageOf } from '../../common/errors/error-table.ts'
import type { Logger } from '../../common/log.ts'
import type { Props } from '../../connect/props.ts'
import type { ThreadHost } from '../task/host/thread-host.ts'

/** The time limit for leaving a group on behalf of a thread that ended, ms. */
const LEAVE_MS = 5000

export interface MembersOptions {
  /** Returns the consumer settings of a sink task; null if the task no longer exists. */
  readonly consumer: (unit: string) => Props | null
  readonly logger: Logger
  /**
   * Creates the client that sends requests for a member. Default: a client that connects to the
   * brokers.
   */
  readonly standIn?: (props: Props, member: GroupMetadata, logger: Logger) => StandIn
}

interface Member {
  readonly identity: GroupMetadata
  readonly props: Props
  readonly sessionMs: number
  readonly intervalMs: number
  readonly maxPollMs: number
  standIn: StandIn | null
  /** The time since the last heartbeat that was sent for the member, ms. */
  sinceHeartbeatMs: number
  heartbeatPending: boolean
  /** Whether the member has left the group, or was removed from it. */
  left: boolean
}

const NO_MEMBERS: ReadonlyMap<string, Member> = new Map()

/**
 * Keeps sink tasks in their consumer groups while a plugin blocks their threads. A Java consumer
 * sends heartbeats from a separate thread, so `put` may take up to `max.poll.interval.ms`. Here the
 * consumer shares a thread with the plugin. If the plugin blocks that thread, the herder's thread
 * sends the heartbeats. When a thread ends, its members leave their groups at once, so that a
 * restarted task does not wait for their sessions to time out.
 */
export class Members {
  readonly #o: MembersOptions
  readonly #threads = new Map<ThreadHost, Map<string, Member>>()
  readonly #leaving = new Set<Promise<void>>()

  constructor(options: MembersOptions) {
    this.#o = options
  }

  /** Sets the consumer group member of a task. Null means that the task is in no group. */
  set(unit: string, host: ThreadHost, identity: GroupMetadata | null): void {
    const members = this.#threads.get(host) ?? new Map<string, Member>()
    members.get(unit)?.standIn?.close()
    members.delete(unit)
    const props = identity && this.#o.consumer(unit)
    if (members.size > 0 || props) this.#threads.set(host, members)
    else this.#threads.delete(host)
    if (!props) return
    const { sessionTimeoutMs, heartbeatIntervalMs, maxPollIntervalMs } = consumerSettings(
      toClientOptions('consumer', props),
    )
    members.set(unit, {
      identity,
      props,
      sessionMs: sessionTimeoutMs,
      intervalMs: heartbeatIntervalMs,
      maxPollMs: maxPollIntervalMs,
      standIn: null,
      sinceHeartbeatMs: 0,
      heartbeatPending: false,
      left: false,
    })
  }

  /**
   * Returns the highest `max.poll.interval.ms` of the sinks in the thread; 0 for a thread without
   * sinks.
   */
  maxPollMs(host: ThreadHost): number {
    return Math.max(0, ...[...this.#of(host).values()].map(m => m.maxPollMs))
  }

  /**
   * Sends the heartbeats that are due. Must be called regularly. `passedMs` is the time since the
   * previous call. `blockedMs` is the time for which the thread's event loop has been blocked.
   */
  check(host: ThreadHost, blockedMs: number, passedMs: number): void {
    for (const [unit, member] of this.#of(host)) {
      // While blocks are short, the thread itself sends its heartbeats in time.
      if (blockedMs < member.sessionMs / 5) {
        member.standIn?.close()
        member.standIn = null
        member.sinceHeartbeatMs = Number.POSITIVE_INFINITY
      } else if (blockedMs > member.maxPollMs && !member.left) {
        this.#o.logger.warn(
          `${unit} has not polled for max.poll.interval.ms (${member.maxPollMs} ms); it leaves its consumer group`,
        )
        this.#leave(unit, member, 'max.poll.interval.ms exceeded')
      } else if (!member.left) {
        member.sinceHeartbeatMs += passedMs
        if (member.sinceHeartbeatMs >= member.intervalMs && !member.heartbeatPending) void this.#heartbeat(unit, member)
      }
    }
  }

  /** Makes the members of a thread that ended leave their groups. */
  threadEnded(host: ThreadHost): void {
    const members = this.#of(host)
    this.#threads.delete(host)
    for (const [unit, member] of members) {
      // A static member does not leave the group, because it may rejoin until its session times
      // out.
      if (member.left || member.identity.groupInstanceId !== null) member.standIn?.close()
      else this.#leave(unit, member, 'the thread of the task has ended')
    }
  }

  /** Resolves when all pending requests to leave a group are done. */
  async close(): Promise<void> {
    for (const members of this.#threads.values()) for (const { standIn } of members.values()) standIn?.close()
    this.#threads.clear()
    await Promise.all(this.#leaving)
  }

  #of(host: ThreadHost): ReadonlyMap<string, Member> {
    return this.#threads.get(host) ?? NO_MEMBERS
  }

  #standIn(member: Member): StandIn {
    const { logger } = this.#o
    const make =
      this.#o.standIn ??
      ((props, identity) => createStandIn({ ...toClientOptions('consumer', props, logger), logger }, identity))
    member.standIn ??= make(member.props, member.identity, logger)
    return member.standIn
  }

  async #heartbeat(unit: string, member: Member): Promise<void> {
    member.heartbeatPending = true
    member.sinceHeartbeatMs = 0
    try {
      member.left = !(await this.#standIn(member).heartbeat(member.sessionMs))
    } catch (error) {
      this.#o.logger.debug(`the heartbeat for ${unit} failed: ${messageOf(error)}`)
    } finally {
      member.heartbeatPending = false
    }
  }

  #leave(unit: string, member: Member, reason: string): void {
    member.left = true
    const { logger } = this.#o
    const leave = async () => {
      const standIn = this.#standIn(member)
      member.standIn = null
      try {
        await standIn.leave(reason, LEAVE_MS)
        logger.debug(`${unit} left the group ${member.identity.groupId}: ${reason}`)
      } catch (error) {
        logger.debug(`${unit} could not leave the group ${member.identity.groupId}: ${messageOf(error)}`)
      } finally {
        standIn.close()
      }
    }
    const leaving: Promise<void> = leave().finally(() => this.#leaving.delete(leaving))
    this.#leaving.add(leaving)
  }
}
