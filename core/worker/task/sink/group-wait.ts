import type { GroupDescription } from '../../../client/types.ts'
import { messageOf } from '../../../common/errors/error-table.ts'
import type { Logger } from '../../../common/log.ts'

/** The time after which the status shows that a rebalance has not ended, ms. */
const SHOW_MS = 5000
/** The interval at which the group is described again during a rebalance, ms. */
const REFRESH_MS = 5000
/** The maximum number of members that a message lists. */
const MAX_MEMBERS = 5

export interface GroupWaitOptions {
  readonly sessionTimeoutMs: number
  readonly describe: () => Promise<GroupDescription>
  readonly logger: Logger
  /** Returns the time in ms. Default: a monotonic clock. */
  readonly now?: () => number
}

type State =
  | { readonly phase: 'joined' }
  | { readonly phase: 'joining'; readonly since: number }
  | { readonly phase: 'describing'; readonly message: string | null }
  | { readonly phase: 'described'; readonly at: number; readonly message: string | null }

/**
 * Determines why a sink task has no partitions while its consumer group is rebalancing. The usual
 * reason is that a member's process was killed. The coordinator then waits until the session of
 * that member times out.
 */
export class GroupWait {
  readonly #o: GroupWaitOptions
  readonly #now: () => number
  #state: State = { phase: 'joined' }

  constructor(options: GroupWaitOptions) {
    this.#o = options
    this.#now = options.now ?? (() => performance.now())
  }

  /**
   * Returns what the task is waiting for. Returns null if it is not waiting, or if the reason is
   * not known yet. Must be called after each poll with the result of the consumer's `joining()`.
   */
  check(joining: { readonly memberId: string } | null): string | null {
    const state = this.#state
    if (joining === null) {
      this.#state = { phase: 'joined' }
      return null
    }
    if (state.phase === 'joined') this.#state = { phase: 'joining', since: this.#now() }
    else if (state.phase === 'joining' && this.#now() - state.since >= SHOW_MS) this.#describe(joining.memberId, null)
    else if (state.phase === 'described' && this.#now() - state.at >= REFRESH_MS)
      this.#describe(joining.memberId, state.message)
    return 'message' in state ? state.message : null
  }

  #describe(ownMemberId: string, shown: string | null): void {
    const pending: State = { phase: 'describing', message: shown }
    this.#state = pending
    const done = (message: string | null) => {
      if (this.#state === pending) this.#state = { phase: 'described', at: this.#now(), message }
    }
    this.#o.describe().then(
      group => done(waitMessage(group, ownMemberId, this.#o.sessionTimeoutMs)),
      (error: unknown) => {
        this.#o.logger.debug(`Cannot describe the consumer group: ${messageOf(error)}`)
        done(shown)
      },
    )
  }
}

/** Returns what a member of the group is waiting for; null if the group is not rebalancing. */
export function waitMessage(group: GroupDescription, ownMemberId: string, sessionTimeoutMs: number): string | null {
  const { groupId, state } = group
  if (state === 'CompletingRebalance') return `waiting for the leader of the group ${groupId} to assign the partitions`
  if (state !== 'PreparingRebalance') return null
  const others = group.members.filter(m => m.memberId !== ownMemberId)
  if (others.length === 0) return `waiting for the group ${groupId} to rebalance`
  const named = others.slice(0, MAX_MEMBERS).map(m => `${m.memberId} (${m.host})`)
  const more = others.length > MAX_MEMBERS ? ` and ${others.length - MAX_MEMBERS} more` : ''
  return (
    `waiting for the group ${groupId} to rebalance: the coordinator waits until each other member rejoins or leaves, ` +
    `or has sent no heartbeat for ${sessionTimeoutMs / 1000} s; the other members are ${named.join(', ')}${more}`
  )
}
