import { AsyncLocalStorage } from 'node:async_hooks'
import { subscribe } from 'node:diagnostics_channel'
import type { Server, Socket } from 'node:net'
import { Signal, waitUntil } from '../common/async/signal.ts'

const scopes = new AsyncLocalStorage<WorkerScope>()
let subscribed = false

/** The error of a connection that a connector opens after its worker was killed. */
const CLOSED = { code: 'ECONNRESET', syscall: 'connect' }

/**
 * Simulates the process of a worker for one start of a connector, so that a test can kill it. After
 * `kill`, the connector is cut off, as by `kill -9`: its connections and listening sockets are
 * closed, and no method of it is called until `release`. JavaScript that is already running cannot
 * be ended from outside: timers and file operations of the connector continue until `release`.
 */
export class WorkerScope {
  readonly #sockets = new Set<Socket>()
  readonly #servers = new Set<Server>()
  readonly #changed = new Signal()
  #phase: 'alive' | 'killed' | 'released' = 'alive'

  constructor() {
    if (!subscribed) subscribeToSockets()
  }

  /** Calls a function. What it and its callbacks open belongs to this scope. */
  run<T>(call: () => T): T {
    return scopes.run(this, call)
  }

  /** Whether the worker was killed. This stays true after `release`. */
  get isKilled(): boolean {
    return this.#phase !== 'alive'
  }

  /** Whether the worker was killed and the connector may now release what it holds. */
  get isReleased(): boolean {
    return this.#phase === 'released'
  }

  /** Closes the connections and listening sockets of the connector without calling it. */
  kill(): void {
    if (this.isKilled) return
    this.#phase = 'killed'
    for (const socket of this.#sockets) socket.destroy()
    for (const server of this.#servers) server.close()
    this.#sockets.clear()
    this.#servers.clear()
  }

  /** Allows the connector to release what it still holds. */
  release(): void {
    this.kill()
    this.#phase = 'released'
    this.#changed.notify()
  }

  /** Waits until `release`. */
  async released(): Promise<void> {
    await waitUntil(() => this.isReleased, this.#changed)
  }

  addSocket(socket: Socket): void {
    if (this.isKilled) {
      // The socket is still being set up by its caller, so it cannot be destroyed at once.
      process.nextTick(() => socket.destroy(Object.assign(new Error('the worker was killed'), CLOSED)))
      return
    }
    this.#sockets.add(socket)
    socket.once('close', () => this.#sockets.delete(socket))
  }

  addServer(server: Server): void {
    if (this.isKilled) {
      server.close()
      return
    }
    this.#servers.add(server)
    server.once('close', () => this.#servers.delete(server))
  }
}

/** Adds the sockets that are opened within a scope to the scope. */
function subscribeToSockets(): void {
  subscribed = true
  const onSocket = (message: unknown) => scopes.getStore()?.addSocket((message as { socket: Socket }).socket)
  subscribe('net.client.socket', onSocket)
  subscribe('net.server.socket', onSocket)
  subscribe('tracing:net.server.listen:asyncStart', message => {
    scopes.getStore()?.addServer((message as { server: Server }).server)
  })
}
