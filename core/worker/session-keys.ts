import { randomBytes } from 'node:crypto'
import { messageOf } from '../common/errors/error-table.ts'
import type { Logger } from '../common/log.ts'
import { timerMs } from '../common/timer.ts'
import type { ConfigStore } from './storage/config-store.ts'

/** After a write that failed, the next try comes this much later, ms. */
const RETRY_MS = 60_000

export interface SessionKeyOptions {
  readonly configs: Pick<ConfigStore, 'state' | 'putSessionKey'>
  /** `inter.worker.key.generation.algorithm`. */
  readonly algorithm: string
  /** `inter.worker.key.size`, bits; null for what the algorithm's name says. */
  readonly bits: number | null
  /** `inter.worker.key.ttl.ms`. */
  readonly ttlMs: number
  readonly logger: Logger
}

/** The leader keeps a fresh key for requests between workers in the config topic, as Connect does. */
export class SessionKeys {
  readonly #o: SessionKeyOptions
  #timer: NodeJS.Timeout | null = null
  #closed = false

  constructor(options: SessionKeyOptions) {
    this.#o = options
  }

  /** Sees that there is a key, and renews it from then on. Never rejects: a single worker can do without for a while. */
  async start(): Promise<void> {
    let next = RETRY_MS
    try {
      next = await this.#renew()
    } catch (error) {
      this.#o.logger.warn(`The session key was not written, next try in ${RETRY_MS / 1000} s: ${messageOf(error)}`)
    }
    if (this.#closed) return
    this.#timer = setTimeout(() => void this.start(), timerMs(next))
    this.#timer.unref()
  }

  close(): void {
    this.#closed = true
    if (this.#timer) clearTimeout(this.#timer)
  }

  /** How long the key is good for, ms. */
  async #renew(): Promise<number> {
    const { configs, algorithm, bits, ttlMs } = this.#o
    const current = configs.state.sessionKey
    // A key of the future is as old as any: the clock that it is from was wrong.
    const age = current ? Math.abs(Date.now() - current.createdAt) : Number.POSITIVE_INFINITY
    if (current?.algorithm === algorithm && age < ttlMs) return Math.max(1000, ttlMs - age)
    const size = bits ?? Number(/\d+$/.exec(algorithm)?.[0] ?? 256)
    const key = randomBytes(Math.max(1, size >> 3)).toString('base64')
    await configs.putSessionKey({ key, algorithm, createdAt: Date.now() })
    return Math.max(1000, ttlMs)
  }
}
