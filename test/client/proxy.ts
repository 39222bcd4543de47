import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { random } from '../random.ts'

/**
 * A TCP proxy that closes, delays, truncates and stalls connections at random. The random numbers
 * come from a seed.
 */
export class FaultyProxy {
  port = 0
  target = 0
  /** The probability that a chunk of data meets a fault. 0 disables faults. */
  faultiness = 0
  readonly counts = { connections: 0, cut: 0, truncated: 0, delayed: 0, stalled: 0 }
  readonly #random: () => number
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  readonly #timers = new Set<NodeJS.Timeout>()

  private constructor(seed: number) {
    this.#random = random(seed).next
    this.#server = createServer({ noDelay: true }, socket => this.#accept(socket))
  }

  static async start(seed: number): Promise<FaultyProxy> {
    const proxy = new FaultyProxy(seed)
    proxy.#server.listen(0, '127.0.0.1')
    await once(proxy.#server, 'listening')
    proxy.port = (proxy.#server.address() as AddressInfo).port
    return proxy
  }

  async close(): Promise<void> {
    for (const t of this.#timers) clearTimeout(t)
    for (const s of this.#sockets) s.destroy()
    const closed = once(this.#server, 'close')
    this.#server.close()
    await closed
  }

  #accept(client: Socket): void {
    this.counts.connections++
    const server = connect({ port: this.target, host: '127.0.0.1', noDelay: true })
    for (const s of [client, server]) {
      this.#sockets.add(s)
      s.on('error', () => s.destroy())
      s.on('close', () => this.#sockets.delete(s))
    }
    this.#pump(client, server)
    this.#pump(server, client)
  }

  #pump(from: Socket, to: Socket): void {
    const cut = () => {
      from.destroy()
      to.destroy()
    }
    from.on('close', cut)
    from.on('data', chunk => {
      if (this.#random() >= this.faultiness) {
        to.write(chunk)
        return
      }
      const kind = this.#random()
      if (kind < 0.3) {
        this.counts.cut++
        cut()
      } else if (kind < 0.5) {
        this.counts.truncated++
        to.write(chunk.subarray(0, Math.floor(this.#random() * chunk.length)), cut)
      } else if (kind < 0.95) {
        this.counts.delayed++
        this.#hold(from, this.#random() * 30, () => to.write(chunk))
      } else {
        this.counts.stalled++
        // This is longer than the request timeout of the clients, so that requests time out.
        this.#hold(from, 2000, cut)
      }
    })
  }

  /** Pauses reading for a while. Keeps the order of the bytes. */
  #hold(from: Socket, ms: number, then: () => void): void {
    from.pause()
    const timer = setTimeout(() => {
      this.#timers.delete(timer)
      then()
      from.resume()
    }, ms)
    this.#timers.add(timer)
  }
}
