import { randomBytes } from 'node:crypto'
import { timerMs } from '../common/async/timer.ts'
import { messageOf } from '../common/errors/error-table.ts'
import type { Logger } from '../common/log.ts'
import type { ConfigStore } from './storage/config-store.ts'

/** The delay before a failed write is repeated, ms. */
const RETRY_MS = 60_000

export interface SessionKeyOptions {
  readonly configs: Pick<ConfigStore, 'state' | 'putSessionKey'>
  /** The value of `inter.worker.key.generation.algorithm`. */
  readonly algorithm: string
  /**
   * The value of `inter.worker.key.size`, in bits. Null means the size in the name of the
   * algorithm.
   */
  readonly bits: number | null
  /** The value of `inter.worker.key.ttl.ms`. */
  readonly ttlMs: number
  readonly logger: Logger
}

/**
 * Keeps a valid session key in the config topic, as Connect's leader does. Workers use the key to
 * sign their requests to each other.
 */
export class SessionKeys {
  readonly #o: SessionKeyOptions
  #timer: NodeJS.Timeout | null = null
  #closed = false

  constructor(options: SessionKeyOptions) {
    this.#o = options
  }

  /**
   * Writes a key unless a valid one is stored, and then renews the key regularly. Never rejects,
   * because a failed write is retried and a single worker does not need the key.
   */
  async start(): Promise<void> {
    let next = RETRY_MS
    try {
      next = await this.#renew()
    } catch (error) {
      this.#o.logger.warn(`Cannot write the session key, retrying in ${RETRY_MS / 1000} s: ${messageOf(error)}`)
    }
    if (this.#closed) return
    this.#timer = setTimeout(() => void this.start(), timerMs(next))
    this.#timer.unref()
  }

  close(): void {
    this.#closed = true
    if (this.#timer) clearTimeout(this.#timer)
  }

  /**
   * Writes a new key unless the stored key is valid. Returns the time until the next renewal, ms.
   */
  async #renew(): Promise<number> {
    const { configs, algorithm, bits, ttlMs } = this.#o
    const current = configs.state.sessionKey
    // abs(): if the clock was wrong when the key was written, its creation time is in the future.
    // Such a key expires like an old one.
    const age = current ? Math.abs(Date.now() - current.createdAt) : Number.POSITIVE_INFINITY
    if (current?.algorithm === algorithm && age < ttlMs) return Math.max(1000, ttlMs - age)
    const size = bits ?? Number(/\d+$/.exec(algorithm)?.[0] ?? 256)
    const key = randomBytes(Math.max(1, size >> 3)).toString('base64')
    await configs.putSessionKey({ key, algorithm, createdAt: Date.now() })
    return Math.max(1000, ttlMs)
  }
}
