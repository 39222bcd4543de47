import { type Address, Connection, type ConnectionOptions, showAddress } from '../net/connection.ts'
import { backoffMs, orAbort, wait } from '../net/wait.ts'

/** `reconnect.backoff.ms` and `reconnect.backoff.max.ms`. */
const RECONNECT_MS = 50
const RECONNECT_MAX_MS = 1000

/** The way to one address: a connection when there is one, and how soon to try again after failures. */
export class Link {
  readonly address: Address
  readonly #options: ConnectionOptions
  readonly #signal: AbortSignal
  #connection: Connection | null = null
  #opening: Promise<Connection> | null = null
  #failures = 0
  #notBefore = 0
  #onDown: (() => void) | null

  /** `signal` ends everything when the client closes. */
  constructor(address: Address, options: ConnectionOptions, signal: AbortSignal, onDown?: () => void) {
    this.address = address
    this.#options = options
    this.#signal = signal
    this.#onDown = onDown ?? null
  }

  get name(): string {
    return showAddress(this.address)
  }

  /** The open connection, if there is one. */
  get current(): Connection | null {
    return this.#connection && !this.#connection.closed ? this.#connection : null
  }

  /** Whether the last attempt failed and it is not yet time for the next. */
  get inBackoff(): boolean {
    return this.current === null && performance.now() < this.#notBefore
  }

  get failing(): boolean {
    return this.#failures > 0
  }

  /** An open connection. Waits for the back-off after failures; rejects with MR_CLIENT_CONNECT when the attempt fails. */
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

  async #open(): Promise<Connection> {
    const left = this.#notBefore - performance.now()
    if (left > 0) await wait(left, this.#signal)
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
        // One beat before connecting again, so that a broker that drops connections at once is not hammered.
        this.#notBefore = performance.now() + backoffMs(0, RECONNECT_MS, RECONNECT_MAX_MS)
        this.#onDown?.()
      }
      return connection
    } catch (error) {
      this.#notBefore = performance.now() + backoffMs(this.#failures++, RECONNECT_MS, RECONNECT_MAX_MS)
      throw error
    }
  }
}
