import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { ApiKey, apis } from '../../protocol/api-keys.ts'
import { decodeResponseHeader, encodeRequestFrame } from '../../protocol/headers.ts'
import { decode } from '../../protocol/schema/codec.ts'
import type { Message, MessageDeclaration, MessageInput } from '../../protocol/schema/declare.ts'

interface Waiting {
  resolve(frame: Buffer): void
  reject(error: Error): void
}

/**
 * A minimal client for tests of any broker. The client can send requests without waiting for
 * responses, and can send any bytes through `socket`.
 */
export class RawClient {
  readonly socket: Socket
  #buffered: Buffer = Buffer.alloc(0)
  #waiting: Waiting[] = []
  #correlation = 0
  readonly closed: Promise<void>

  private constructor(socket: Socket) {
    this.socket = socket
    this.closed = new Promise(resolve => socket.on('close', () => resolve()))
    socket.on('data', chunk => this.#take(chunk))
    socket.on('error', () => socket.destroy())
    socket.on('close', () => {
      for (const w of this.#waiting.splice(0)) w.reject(new Error('the connection was closed'))
    })
  }

  static async connect(port: number, host = '127.0.0.1'): Promise<RawClient> {
    const socket = connect({ port, host, noDelay: true })
    await once(socket, 'connect')
    return new RawClient(socket)
  }

  #take(chunk: Buffer): void {
    this.#buffered = this.#buffered.length === 0 ? chunk : Buffer.concat([this.#buffered, chunk])
    while (this.#buffered.length >= 4) {
      const size = this.#buffered.readInt32BE(0)
      if (this.#buffered.length < 4 + size) return
      const frame = this.#buffered.subarray(4, 4 + size)
      this.#buffered = this.#buffered.subarray(4 + size)
      this.#waiting.shift()?.resolve(frame)
    }
  }

  /** Resolves to the next response, without the size field. */
  nextFrame(): Promise<Buffer> {
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }))
  }

  /**
   * Sends a request and returns the decoded response. The message declarations determine the types
   * of both.
   */
  async request<Q extends MessageDeclaration, S extends MessageDeclaration>(
    request: Q,
    response: S,
    version: number,
    input: MessageInput<Q>,
  ): Promise<Message<S>> {
    const apiKey = request.apiKey!
    this.send(request, version, input)
    const frame = await this.nextFrame()
    const { end } = decodeResponseHeader(apiKey, version, frame)
    return decode(response, version, frame, end)
  }

  /** Sends a request and returns its correlation id. Call `nextFrame` to receive the response. */
  send<Q extends MessageDeclaration>(request: Q, apiVersion: number, input: MessageInput<Q>): number {
    const correlationId = this.#correlation++
    const header = { apiKey: request.apiKey!, apiVersion, correlationId, clientId: 'raw-client' }
    this.socket.write(Buffer.concat(encodeRequestFrame(header, request, input)))
    return correlationId
  }

  /**
   * Sends a request to an API, and returns the decoded response. Uses the latest version by
   * default. The types are not checked, which is convenient for scripts and comparisons.
   */
  async call(name: keyof typeof ApiKey, input: object, version?: number): Promise<Record<string, unknown>> {
    const api = apis.get(ApiKey[name])!
    return (await this.request(api.request, api.response, version ?? api.maxVersion, input)) as Record<string, unknown>
  }

  close(): void {
    this.socket.destroy()
  }
}
