import { createStandIn, type StandIn, toClientOptions } from '../../client/index.ts'
import type { GroupMetadata } from '../../client/types.ts'
import { messageOf } from '../../common/errors/error-table.ts'
import type { Logger } from '../../common/log.ts'
import type { Props } from '../../connect/props.ts'
import type { ThreadHost } from '../task/host/thread-host.ts'

/** What leaving a group for a dead thread may take, ms. */
const LEAVE_MS = 5000

export interface MembersOptions {
  /** The consumer settings of a sink's task; null for one that is gone. */
  readonly consumer: (unit: string) => Props | null
  readonly logger: Logger
  /** Default: over Kafka's protocol. */
  readonly standIn?: (props: Props, member: GroupMetadata, logger: Logger) => StandIn
}

interface Member {
  readonly identity: GroupMetadata
  readonly props: Props
  readonly sessionMs: number
  readonly intervalMs: number
  readonly maxPollMs: number
  standIn: StandIn | null
  /** Since the last heartbeat for it, ms. */
  sinceBeat: number
  beating: boolean
  /** The group does not know it any more, or shall not. */
  over: boolean
}

const NONE: ReadonlyMap<string, Member> = new Map()

/**
 * Keeps sink tasks in their consumer groups while their own threads cannot: Java's consumers beat from a thread of their own, so
 * a `put` may take up to `max.poll.interval.ms`; ours share a thread with the plugin, and this is the other thread. And takes
 * those out at once whose threads have died, so that the next start need not wait for their sessions to end.
 */
export class Members {
  readonly #o: MembersOptions
  readonly #threads = new Map<ThreadHost, Map<string, Member>>()
  readonly #leaving = new Set<Promise<void>>()

  constructor(options: MembersOptions) {
    this.#o = options
  }

  /** A task has told its place in its group, or that it has none. */
  note(unit: string, host: ThreadHost, identity: GroupMetadata | null): void {
    const members = this.#threads.get(host) ?? new Map<string, Member>()
    members.get(unit)?.standIn?.close()
    members.delete(unit)
    const props = identity && this.#o.consumer(unit)
    if (members.size > 0 || props) this.#threads.set(host, members)
    else this.#threads.delete(host)
    if (!props) return
    const { sessionTimeoutMs, heartbeatIntervalMs, maxPollIntervalMs } = toClientOptions('consumer', props)
    members.set(unit, {
      identity,
      props,
      sessionMs: sessionTimeoutMs ?? 45_000,
      intervalMs: heartbeatIntervalMs ?? 3000,
      maxPollMs: maxPollIntervalMs ?? 300_000,
      standIn: null,
      sinceBeat: 0,
      beating: false,
      over: false,
    })
  }

  /** The longest that a sink in the thread may take between two polls, ms; 0 for a thread without sinks. */
  maxPollMs(host: ThreadHost): number {
    return Math.max(0, ...[...this.#of(host).values()].map(m => m.maxPollMs))
  }

  /** To be called again and again, `passedMs` after the last time, with how long the thread has not come to rest. */
  look(host: ThreadHost, blockedMs: number, passedMs: number): void {
    for (const [unit, member] of this.#of(host)) {
      // A moment is no matter: it beats by itself then.
      if (blockedMs < member.sessionMs / 5) {
        member.standIn?.close()
        member.standIn = null
        member.sinceBeat = Number.POSITIVE_INFINITY
      } else if (blockedMs > member.maxPollMs && !member.over) {
        this.#o.logger.warn(
          `${unit} has not polled for max.poll.interval.ms (${member.maxPollMs} ms); it leaves its consumer group`,
        )
        this.#leave(unit, member, 'max.poll.interval.ms exceeded')
      } else if (!member.over) {
        member.sinceBeat += passedMs
        if (member.sinceBeat >= member.intervalMs && !member.beating) void this.#beat(unit, member)
      }
    }
  }

  /** The thread has ended. */
  lost(host: ThreadHost): void {
    const members = this.#of(host)
    this.#threads.delete(host)
    for (const [unit, member] of members) {
      // A static member is expected back within its session.
      if (member.over || member.identity.groupInstanceId !== null) member.standIn?.close()
      else this.#leave(unit, member, 'the thread of the task has ended')
    }
  }

  /** Resolves when all that died have left. */
  async close(): Promise<void> {
    for (const members of this.#threads.values()) for (const { standIn } of members.values()) standIn?.close()
    this.#threads.clear()
    await Promise.all(this.#leaving)
  }

  #of(host: ThreadHost): ReadonlyMap<string, Member> {
    return this.#threads.get(host) ?? NONE
  }

  #standIn(member: Member): StandIn {
    const { logger } = this.#o
    const make =
      this.#o.standIn ??
      ((props, identity) => createStandIn({ ...toClientOptions('consumer', props, logger), logger }, identity))
    member.standIn ??= make(member.props, member.identity, logger)
    return member.standIn
  }

  async #beat(unit: string, member: Member): Promise<void> {
    member.beating = true
    member.sinceBeat = 0
    try {
      member.over = !(await this.#standIn(member).beat(member.sessionMs))
    } catch (error) {
      this.#o.logger.debug(`the heartbeat for ${unit} failed: ${messageOf(error)}`)
    } finally {
      member.beating = false
    }
  }

  #leave(unit: string, member: Member, reason: string): void {
    member.over = true
    const { logger } = this.#o
    const left = async () => {
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
    const leaving: Promise<void> = left().finally(() => this.#leaving.delete(leaving))
    this.#leaving.add(leaving)
  }
}
