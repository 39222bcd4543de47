import { backoffMs } from '../../common/async/backoff.ts'
import { orAbort } from '../../common/async/or-abort.ts'
import { sleep } from '../../common/async/sleep.ts'
import { type Address, Connection, type ConnectionOptions, showAddress } from '../net/connection.ts'

export interface LinkOptions extends ConnectionOptions {
  readonly reconnectBackoffMs: number
  readonly reconnectBackoffMaxMs: number
}

/**
 * The connection to one address. After a failed attempt to connect, the next attempt waits for a
 * back-off.
 */
export class Link {
  readonly address: Address
  readonly #options: LinkOptions
  readonly #signal: AbortSignal
  #connection: Connection | null = null
  #opening: Promise<Connection> | null = null
  #failures = 0
  #notBefore = 0
  #onDown: (() => void) | null

  /**
   * `signal` aborts when the client closes. `onDown` is called when an open connection is closed.
   */
  constructor(address: Address, options: LinkOptions, signal: AbortSignal, onDown?: () => void) {
    this.address = address
    this.#options = options
    this.#signal = signal
    this.#onDown = onDown ?? null
  }

  get name(): string {
    return showAddress(this.address)
  }

  /** The open connection, or null. */
  get current(): Connection | null {
    return this.#connection && !this.#connection.closed ? this.#connection : null
  }

  /**
   * Whether the client must wait before it connects again, because the last connection failed or
   * was closed.
   */
  get inBackoff(): boolean {
    return this.current === null && performance.now() < this.#notBefore
  }

  get failing(): boolean {
    return this.#failures > 0
  }

  /**
   * Returns the open connection. If no connection is open, waits for the back-off and connects.
   * Rejects with MR_CLIENT_CONNECT if the attempt fails.
   */
  get(signal?: AbortSignal): Promise<Connection> {
    const open = this.current
    if (open) return Promise.resolve(open)
    this.#opening ??= this.#open().finally(() => {
      this.#opening = null
    })
    return orAbort(this.#opening, signal)
  }

  close(): void {
    this.#onDown = null
    this.#connection?.close()
    this.#connection = null
  }

  #pause(attempt: number): number {
    const { reconnectBackoffMs, reconnectBackoffMaxMs } = this.#options
    return backoffMs(attempt, { initialMs: reconnectBackoffMs, maxMs: reconnectBackoffMaxMs })
  }

  async #open(): Promise<Connection> {
    const left = this.#notBefore - performance.now()
    if (left > 0) await sleep(left, this.#signal)
    try {
      const connection = await Connection.open(this.address, this.#options, this.#signal)
      if (this.#signal.aborted) {
        connection.close()
        throw this.#signal.reason
      }
      this.#failures = 0
      this.#connection = connection
      connection.onClose = () => {
        if (this.#connection === connection) this.#connection = null
        // Wait before reconnecting, in case the broker closes connections immediately.
        this.#notBefore = performance.now() + this.#pause(0)
        this.#onDown?.()
      }
      return connection
    } catch (error) {
      this.#notBefore = performance.now() + this.#pause(this.#failures++)
      throw error
    }
  }
}
