import { isoInstant } from '../../common/iso-instant.ts'
import { errors } from '../task/errors.ts'
import type { ThreadEvent } from '../task/host/messages-out.ts'
import type { ThreadHost } from '../task/host/thread-host.ts'
import type { Members } from './members.ts'

/** The interval at which the threads are checked, ms. */
const CHECK_MS = 1000
/** How long a thread must be blocked before the statuses of its units show it, ms. */
const SHOW_MS = 10_000

export interface WatchOptions {
  readonly hosts: () => Iterable<ThreadHost>
  readonly members: Members
  /** The value of `task.blocked.timeout.ms`; 0 disables the timeout. */
  readonly timeoutMs: number
  readonly onEvent: (event: ThreadEvent, host: ThreadHost) => void
}

interface Seen {
  pulse: number
  /**
   * The time for which the thread has not incremented its pulse, ms. This time is counted in checks
   * and not read from a clock, so that no thread seems blocked after the machine was suspended.
   */
  blockedMs: number
  shown: boolean
}

/**
 * Detects threads whose event loops are blocked. A plugin that computes without a pause, or that
 * waits synchronously, blocks everything in its thread without causing an error. The statuses of
 * the units in the thread show the block. After `task.blocked.timeout.ms`, the thread is terminated
 * and the restart policy applies.
 */
export class Watch {
  readonly #o: WatchOptions
  readonly #seen = new WeakMap<ThreadHost, Seen>()
  readonly #timer: NodeJS.Timeout

  constructor(options: WatchOptions) {
    this.#o = options
    this.#timer = setInterval(() => this.check(CHECK_MS), CHECK_MS)
    this.#timer.unref()
  }

  close(): void {
    clearInterval(this.#timer)
  }

  /**
   * Returns the time for which a thread's event loop has been blocked, ms; 0 if it is not blocked.
   */
  blockedMs(host: ThreadHost): number {
    return this.#seen.get(host)?.blockedMs ?? 0
  }

  /** Checks all threads. `passedMs` is the time since the previous check. */
  check(passedMs: number): void {
    for (const host of this.#o.hosts()) {
      const { pulse } = host
      if (pulse === null || !host.alive) continue
      const seen = this.#seen.get(host)
      if (!seen) {
        this.#seen.set(host, { pulse, blockedMs: 0, shown: false })
        continue
      }
      seen.blockedMs = seen.pulse === pulse ? seen.blockedMs + passedMs : 0
      seen.pulse = pulse
      this.#o.members.check(host, seen.blockedMs, passedMs)
      this.#react(host, seen)
    }
  }

  #react(host: ThreadHost, seen: Seen): void {
    const { timeoutMs, members } = this.#o
    const limit = timeoutMs === 0 ? Number.POSITIVE_INFINITY : Math.max(timeoutMs, members.maxPollMs(host))
    const since = Date.now() - seen.blockedMs
    if (seen.blockedMs >= limit) {
      void host.terminate(errors.create('MR_TASK_BLOCKED', { thread: host.name, since: isoInstant(since) }))
    } else if (seen.blockedMs >= SHOW_MS !== seen.shown) {
      seen.shown = !seen.shown
      for (const unit of host.units) this.#o.onEvent({ type: 'blocked', unit, since: seen.shown ? since : null }, host)
    }
  }
}
