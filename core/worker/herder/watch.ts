import { isoInstant } from '../../common/iso-instant.ts'
import { errors } from '../task/errors.ts'
import type { ThreadEvent } from '../task/host/messages-out.ts'
import type { ThreadHost } from '../task/host/thread-host.ts'
import type { Members } from './members.ts'

/** How often the threads are looked at, ms. */
const LOOK_MS = 1000
/** From when on a blocked thread shows in the status, ms. */
const SHOW_MS = 10_000

export interface WatchOptions {
  readonly hosts: () => Iterable<ThreadHost>
  readonly members: Members
  /** `task.blocked.timeout.ms`; 0 for never. */
  readonly timeoutMs: number
  readonly onEvent: (event: ThreadEvent, host: ThreadHost) => void
}

interface Seen {
  pulse: number
  /** How long it has stood still, ms. Counted by looks, so that a suspended machine blames nobody. */
  blockedMs: number
  shown: boolean
}

/**
 * Looks whether the threads' event loops turn. A plugin that computes for ever, or waits synchronously, stops everything of its
 * thread without an error: its units' statuses say so, and in the end the thread is terminated, so that the restart policy acts.
 */
export class Watch {
  readonly #o: WatchOptions
  readonly #seen = new WeakMap<ThreadHost, Seen>()
  readonly #timer: NodeJS.Timeout

  constructor(options: WatchOptions) {
    this.#o = options
    this.#timer = setInterval(() => this.look(LOOK_MS), LOOK_MS)
    this.#timer.unref()
  }

  close(): void {
    clearInterval(this.#timer)
  }

  /** For how long a thread's event loop has been blocked, ms; 0 when it is not. */
  blockedMs(host: ThreadHost): number {
    return this.#seen.get(host)?.blockedMs ?? 0
  }

  /** Looks at all threads, `passedMs` after the last time. */
  look(passedMs: number): void {
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
      this.#o.members.look(host, seen.blockedMs, passedMs)
      this.#judge(host, seen)
    }
  }

  #judge(host: ThreadHost, seen: Seen): void {
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
