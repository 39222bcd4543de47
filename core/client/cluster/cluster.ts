import { backoffMs } from '../../common/async/backoff.ts'
import { orAbort } from '../../common/async/or-abort.ts'
import { sleep } from '../../common/async/sleep.ts'
import { timeLimit } from '../../common/async/time-limit.ts'
import { timerMs } from '../../common/async/timer.ts'
import { isRetriable, messageOf } from '../../common/errors/error-table.ts'
import { ErrorCode, errorFor } from '../../protocol/error-codes.ts'
import { MetadataRequest, MetadataResponse } from '../../protocol/messages/03-metadata.ts'
import type { Message, MessageDeclaration, MessageInput } from '../../protocol/schema/declare.ts'
import { clientErrors } from '../errors.ts'
import { type Api, defineApi } from '../net/api.ts'
import { type Address, type Connection, showAddress } from '../net/connection.ts'
import type { RequestOptions } from '../net/pipeline.ts'
import { Traffic } from '../net/traffic.ts'
import type { CommonOptions } from '../options.ts'
import { Link } from './link.ts'
import { Metadata } from './metadata.ts'
import { type RetryOptions, retry } from './retry.ts'

const MetadataApi = defineApi(MetadataRequest, MetadataResponse, { min: 4 })

/**
 * The purpose of a connection to a broker. A broker answers the requests of a connection in order,
 * so slow requests use separate connections. `data`: Produce and Fetch. `group`: requests to the
 * group coordinator. `control`: all others.
 */
export type Lane = 'data' | 'control' | 'group'

export interface SendOptions extends RequestOptions {
  readonly lane?: Lane
  /** The newest version that the caller supports. Default: the newest version of the API. */
  readonly cap?: number
}

/** The input of a request, or a function that creates the input for the negotiated version. */
export type InputFor<Q extends MessageDeclaration> = MessageInput<Q> | ((version: number) => MessageInput<Q>)

/**
 * A client's connections to a cluster, and the metadata of the cluster, which is kept up to date.
 * Owns all sockets of the client.
 */
export class Cluster {
  readonly metadata = new Metadata()
  readonly traffic = new Traffic()
  readonly options: CommonOptions
  readonly #closing = new AbortController()
  readonly #links = new Map<string, Link>()
  readonly #listeners = new Set<() => void>()
  /** The topics whose metadata is requested. Null means all topics. */
  #tracked: Set<string> | null = new Set()
  #autoCreate: boolean
  #running: Promise<void> | null = null
  #queued: Promise<void> | null = null
  #failures = 0
  /** Whether a refresh that `refreshSoon` requested is pending. */
  #wanted = false
  /** The number of consecutive refreshes after which a topic or a leader was still missing. */
  #incomplete = 0
  #lastAttempt = Number.NEGATIVE_INFINITY
  #newTopics = true
  #ageTimer: NodeJS.Timeout | null = null

  constructor(options: CommonOptions, settings: { autoCreateTopics: boolean }) {
    this.options = options
    this.#autoCreate = settings.autoCreateTopics
  }

  /** Aborts when the client closes. */
  get signal(): AbortSignal {
    return this.#closing.signal
  }

  /** Adds a listener that is called after every change of the metadata. */
  onUpdate(listener: () => void): void {
    this.#listeners.add(listener)
  }

  /**
   * Adds topics whose metadata is kept up to date. Returns true if some were not tracked before.
   */
  track(topics: Iterable<string>): boolean {
    let added = false
    for (const t of topics) {
      if (this.#tracked === null || this.#tracked.has(t)) continue
      this.#tracked.add(t)
      added = true
    }
    if (added) this.#newTopics = true
    return added
  }

  /** Stops requesting the metadata of a topic. */
  untrack(topic: string): void {
    this.#tracked?.delete(topic)
    this.metadata.forget(topic)
  }

  /**
   * Replaces the topics whose metadata is kept up to date. Null means all topics. If some topics
   * were not tracked before, requests their metadata and returns true.
   */
  setTracked(topics: Iterable<string> | null): boolean {
    const next = topics === null ? null : new Set(topics)
    const before = this.#tracked
    this.#tracked = next
    const added = before !== null && (next === null || [...next].some(t => !before.has(t)))
    if (added) {
      this.#newTopics = true
      this.refreshSoon()
    }
    return added
  }

  /** Returns an open connection to a broker that the metadata contains. Connects if necessary. */
  connection(brokerId: number, lane: Lane, signal?: AbortSignal): Promise<Connection> {
    const broker = this.metadata.brokers.get(brokerId)
    if (!broker) {
      this.refreshSoon()
      return Promise.reject(clientErrors.create('MR_CLIENT_UNKNOWN_BROKER', { id: brokerId }))
    }
    return this.#link(broker, lane).get(signal)
  }

  /** Returns the connection to a broker if it is open, or null. */
  openConnection(brokerId: number, lane: Lane): Connection | null {
    const broker = this.metadata.brokers.get(brokerId)
    return broker ? this.#link(broker, lane).current : null
  }

  /** Sends a request to one broker. */
  async request<Q extends MessageDeclaration, R extends MessageDeclaration>(
    brokerId: number,
    api: Api<Q, R>,
    input: InputFor<Q>,
    options: SendOptions = {},
  ): Promise<Message<R>> {
    const connection = await this.connection(brokerId, options.lane ?? 'control', options.signal)
    return this.#ask(connection, api, input, options)
  }

  /** Sends a request to any broker. Tries the next broker after a retriable error. */
  async requestAny<Q extends MessageDeclaration, R extends MessageDeclaration>(
    api: Api<Q, R>,
    input: InputFor<Q>,
    options: SendOptions = {},
  ): Promise<Message<R>> {
    let last: unknown = null
    const candidates = this.#candidates()
    for (const link of candidates) {
      try {
        const connection = await link.get(options.signal)
        return await this.#ask(connection, api, input, options)
      } catch (error) {
        if (this.signal.aborted || options.signal?.aborted || !isRetriable(error)) throw error
        last = error
      }
    }
    throw clientErrors.create(
      'MR_CLIENT_NO_BROKER',
      { addresses: [...new Set(candidates.map(l => l.name))].join(', '), cause: messageOf(last) },
      { cause: last },
    )
  }

  /**
   * Runs `attempt` until it succeeds, for at most `timeoutMs`. Waits for the client's back-off
   * between attempts.
   */
  retry<T>(
    what: string,
    timeoutMs: number,
    attempt: (signal: AbortSignal) => Promise<T>,
    more: Partial<RetryOptions> = {},
  ): Promise<T> {
    const { retryBackoffMs, retryBackoffMaxMs } = this.options
    return retry(attempt, {
      what,
      timeoutMs,
      signal: this.signal,
      backoffMs: retryBackoffMs,
      backoffMaxMs: retryBackoffMaxMs,
      ...more,
    })
  }

  /**
   * Fetches the metadata of all topics that are tracked now. Concurrent calls share one request.
   */
  refresh(signal?: AbortSignal): Promise<void> {
    this.#queued ??= this.#refreshAfter(this.#running)
    return orAbort(this.#queued, signal)
  }

  /** Starts a refresh in the background. Retries until a refresh succeeds. */
  refreshSoon(): void {
    if (this.#wanted || this.signal.aborted) return
    this.#wanted = true
    const done = (error: unknown) => {
      this.#wanted = false
      if (error === null || this.signal.aborted) return
      this.options.logger.debug(`Metadata refresh failed; retrying: ${messageOf(error)}`)
      this.refreshSoon()
    }
    this.refresh().then(() => done(null), done)
  }

  /**
   * Refreshes the metadata until `look` returns a value, and returns that value. After `timeoutMs`,
   * throws the error that `missing` creates from the last failure.
   */
  async until<T>(
    look: () => T | null,
    timeoutMs: number,
    missing: (cause: unknown) => Error,
    signal?: AbortSignal,
  ): Promise<T> {
    const deadline = performance.now() + timeoutMs
    let last: unknown = null
    for (let n = 0; ; n++) {
      const found = look()
      if (found !== null) return found
      const left = deadline - performance.now()
      if (left <= 0) throw missing(last)
      const limit = AbortSignal.any([timeLimit(left), this.signal, ...(signal ? [signal] : [])])
      try {
        await this.refresh(limit)
        last = null
      } catch (error) {
        if (this.signal.aborted || signal?.aborted) throw error
        if (!limit.aborted) {
          if (!isRetriable(error)) throw error
          last = error
        } else if (n === 0) last ??= error
      }
    }
  }

  /** Closes all connections, and aborts all waits with `reason`. */
  close(reason: Error): void {
    if (this.signal.aborted) return
    this.#closing.abort(reason)
    if (this.#ageTimer) clearTimeout(this.#ageTimer)
    for (const link of this.#links.values()) link.close()
    this.#links.clear()
  }

  #ask<Q extends MessageDeclaration, R extends MessageDeclaration>(
    connection: Connection,
    api: Api<Q, R>,
    input: InputFor<Q>,
    options: SendOptions,
  ): Promise<Message<R>> {
    const version = connection.version(api, options.cap)
    const value = typeof input === 'function' ? input(version) : input
    return connection.request(api, version, value, options)
  }

  async #refreshAfter(running: Promise<void> | null): Promise<void> {
    // The callers of the earlier refresh handle its failure.
    await running?.catch(() => undefined)
    // Incomplete responses increase the back-off as failures do (KIP-580). Otherwise, many clients
    // that wait for a topic could overload the brokers.
    const fruitless = Math.max(this.#failures, this.#incomplete - 1)
    const pause = this.#failures > 0 || !this.#newTopics ? this.#backoffMs(fruitless) : 0
    const left = this.#lastAttempt + pause - performance.now()
    if (left > 0) await sleep(left, this.signal)
    this.#running = this.#queued
    this.#queued = null
    const mine = this.#running
    try {
      await this.#load()
    } finally {
      if (this.#running === mine) this.#running = null
    }
  }

  #backoffMs(attempts: number): number {
    const { retryBackoffMs, retryBackoffMaxMs } = this.options
    return backoffMs(attempts, { initialMs: retryBackoffMs, maxMs: retryBackoffMaxMs })
  }

  async #load(): Promise<void> {
    this.#newTopics = false
    this.#lastAttempt = performance.now()
    const topics = this.#tracked === null ? null : [...this.#tracked].map(name => ({ name }))
    try {
      const response = await this.requestAny(MetadataApi, { topics, allowAutoTopicCreation: this.#autoCreate })
      if (response.errorCode === ErrorCode.REBOOTSTRAP_REQUIRED) {
        this.metadata.brokers.clear()
        throw clientErrors.create('MR_CLIENT_NO_BROKER', {
          addresses: 'any known address',
          cause: 'the broker requests a new bootstrap',
        })
      }
      if (response.errorCode !== 0) throw errorFor(response.errorCode)
      if (response.brokers.length === 0) {
        throw clientErrors.create('MR_CLIENT_NO_BROKER', {
          addresses: 'bootstrap.servers',
          cause: 'the metadata contains no brokers',
        })
      }
      this.#failures = 0
      this.metadata.update(response, true)
    } catch (error) {
      this.#failures++
      throw error
    }
    this.#pruneLinks()
    this.#armAgeTimer()
    this.#refreshIncomplete()
    for (const listener of [...this.#listeners]) listener()
  }

  /** Schedules another refresh if a topic or a leader is missing, as Java's clients do. */
  #refreshIncomplete(): void {
    const incomplete = [...(this.#tracked ?? [])].some(name => {
      const topic = this.metadata.topics.get(name)
      if (!topic || isPassing(topic.errorCode)) return true
      return topic.partitions.some(p => p.leader < 0)
    })
    if (!incomplete) this.#incomplete = 0
    else this.#armTimer(this.#backoffMs(this.#incomplete++))
  }

  #armAgeTimer(): void {
    this.#armTimer(this.options.metadataMaxAgeMs)
  }

  #armTimer(ms: number): void {
    if (this.#ageTimer) clearTimeout(this.#ageTimer)
    this.#ageTimer = setTimeout(() => this.refreshSoon(), timerMs(ms))
    this.#ageTimer.unref()
  }

  #link(address: Address, lane: Lane): Link {
    const key = `${lane} ${showAddress(address)}`
    let link = this.#links.get(key)
    if (!link) {
      const o = this.options
      const settings = {
        clientId: o.clientId,
        setupTimeoutMs: o.connectionSetupTimeoutMs,
        maxIdleMs: o.connectionsMaxIdleMs,
        requestTimeoutMs: o.requestTimeoutMs,
        traffic: this.traffic,
        reconnectBackoffMs: o.reconnectBackoffMs,
        reconnectBackoffMaxMs: o.reconnectBackoffMaxMs,
      }
      // A lost connection may mean that the broker has stopped. Refresh the metadata now, before
      // the next request fails.
      link = new Link(address, settings, this.signal, () => lane === 'data' && this.refreshSoon())
      this.#links.set(key, link)
    }
    return link
  }

  /**
   * Returns the links to all brokers in the order in which to try them: open connections first,
   * then other known brokers, then the bootstrap servers.
   */
  #candidates(): Link[] {
    const known = shuffled([...this.metadata.brokers.values()]).map(b => this.#link(b, 'control'))
    const order = (l: Link) => (l.current ? 0 : l.failing ? 2 : 1)
    known.sort((a, b) => order(a) - order(b))
    const bootstrap = shuffled(this.options.bootstrap).map(a => this.#link(a, 'control'))
    return [...new Set([...known, ...bootstrap])]
  }

  /** Removes the links to addresses that no longer belong to a broker. */
  #pruneLinks(): void {
    const wanted = new Set([...this.metadata.brokers.values(), ...this.options.bootstrap].map(showAddress))
    for (const [key, link] of this.#links) {
      if (wanted.has(link.name) || link.current) continue
      link.close()
      this.#links.delete(key)
    }
  }
}

function isPassing(code: number): boolean {
  return code === ErrorCode.UNKNOWN_TOPIC_OR_PARTITION || code === ErrorCode.LEADER_NOT_AVAILABLE
}

function shuffled<T>(list: readonly T[]): T[] {
  const copy = [...list]
  for (let i = copy.length - 1; i > 0; i--) {
    const j = Math.floor(Math.random() * (i + 1))
    ;[copy[i], copy[j]] = [copy[j]!, copy[i]!]
  }
  return copy
}
