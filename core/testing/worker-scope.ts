import { AsyncLocalStorage } from 'node:async_hooks'
import { subscribe } from 'node:diagnostics_channel'
import type { Server, Socket } from 'node:net'
import { Signal, waitUntil } from '../common/async/signal.ts'

const scopes = new AsyncLocalStorage<WorkerScope>()
let subscribed = false

/** The fields of the error for connections that a connector opens after `kill`. */
const CLOSED = { code: 'ECONNRESET', syscall: 'connect' }

/**
 * The part of this process that a connector and its tasks use. It simulates the process of a
 * worker: `kill` closes the connections and listening sockets of the connector, as the operating
 * system does after `kill -9`. Timers and file operations cannot be ended from outside. They
 * continue until `release`, after which the connector may clean up.
 */
export class WorkerScope {
  readonly #sockets = new Set<Socket>()
  readonly #servers = new Set<Server>()
  readonly #changed = new Signal()
  #phase: 'alive' | 'killed' | 'released' = 'alive'

  constructor() {
    if (!subscribed) subscribeToSockets()
  }

  /** Calls a function. Sockets that the function and its callbacks open belong to this scope. */
  run<T>(call: () => T): T {
    return scopes.run(this, call)
  }

  /** Whether `kill` was called. It stays true after `release`. */
  get isKilled(): boolean {
    return this.#phase !== 'alive'
  }

  /** Whether `release` was called, so that the connector may clean up. */
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

  /** Allows the connector to clean up. */
  release(): void {
    this.kill()
    this.#phase = 'released'
    this.#changed.notify()
  }

  /** Waits until `release` is called. */
  async released(): Promise<void> {
    await waitUntil(() => this.isReleased, this.#changed)
  }

  addSocket(socket: Socket): void {
    if (this.isKilled) {
      // The caller is still connecting the socket, so it cannot be destroyed at once.
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
