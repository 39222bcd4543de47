import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'

/** The start of a keepalive message: CopyData with 18 bytes, of which the first is `k`. */
const KEEPALIVE = Buffer.from([0x64, 0, 0, 0, 22, 0x6b])

/**
 * A proxy between a task and its server. The proxy can hold back the replication stream and forward
 * everything else.
 */
export class StreamProxy {
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  readonly #streams = new Set<Socket>()
  #held = false
  /** The number of forwarded keepalives. */
  keepalives = 0

  private constructor(host: string, port: number) {
    this.#server = createServer(client => this.#join(client, connect(port, host)))
  }

  static async start(host: string, port: number): Promise<StreamProxy> {
    const proxy = new StreamProxy(host, port)
    await new Promise<void>(resolve => proxy.#server.listen(0, '127.0.0.1', () => resolve()))
    return proxy
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  #join(client: Socket, server: Socket): void {
    for (const [socket, other] of [
      [client, server],
      [server, client],
    ] as const) {
      this.#sockets.add(socket)
      socket.on('error', () => other.destroy())
      socket.on('close', () => other.destroy())
    }
    // the startup message of a replication connection contains the word `replication`
    client.once('data', chunk => {
      if (chunk.includes('replication')) this.#streams.add(server)
    })
    client.on('data', chunk => server.write(chunk))
    server.on('data', chunk => {
      if (this.#streams.has(server) && chunk.includes(KEEPALIVE)) this.keepalives++
      client.write(chunk)
      if (this.#held && this.#streams.has(server)) server.pause()
    })
  }

  hold(): void {
    this.#held = true
    for (const server of this.#streams) server.pause()
  }

  release(): void {
    this.#held = false
    for (const server of this.#streams) server.resume()
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy()
    this.#server.close()
  }
}
