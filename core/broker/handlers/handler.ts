import type { Coordinators } from '../coordinator/index.ts'
import type { BrokerStats } from '../metrics/broker-stats.ts'
import type { BaseServices } from '../services.ts'
import type { FetchBudget } from './fetch-budget.ts'
import type { FetchSessions } from './fetch-sessions.ts'

/** The connection that a request came from. */
export interface ConnectionInfo {
  /** Unique until the broker stops. */
  readonly id: number
  /** The client's address, as the descriptions of groups show it, such as `127.0.0.1`. */
  readonly host: string
  /** The listener that accepted the connection, such as `PLAINTEXT`. */
  readonly listener: string
}

/** The context of a request, which its handler can use. */
export interface RequestContext {
  readonly apiKey: number
  readonly apiVersion: number
  readonly correlationId: number
  readonly clientId: string | null
  readonly connection: ConnectionInfo
  /**
   * Aborted when the connection closes or the broker stops. A handler that waits must then stop
   * waiting.
   */
  readonly signal: AbortSignal
  readonly memory: RequestMemory
  readonly broker: BrokerServices
}

/**
 * Lets a handler return buffers to the pool. This is optional: buffers that are not returned are
 * garbage collected. A handler that keeps parts of a request must not return its buffer.
 */
export interface RequestMemory {
  /**
   * Declares that nothing refers to the request's bytes any more, nor to values decoded from them,
   * except numbers and strings.
   */
  requestIsDone(): void
  /**
   * Calls `done` when the response has been sent, so that its buffers may be reused. Never called
   * if the connection failed.
   */
  onSent(done: () => void): void
}

/** The services of the broker, as the handlers see them. */
export interface BrokerServices extends BaseServices {
  /**
   * Created by `createCoordinators`, started after the image and the logs are loaded, and closed
   * before the logs.
   */
  readonly coordinators: Coordinators
  readonly fetchSessions: FetchSessions
  readonly stats: BrokerStats
  /** Limits the memory of fetch responses that slow clients have not read yet. */
  readonly fetchBudget: FetchBudget
  /** The address that clients should use to reach this broker on a listener. */
  advertised(listener: string): { readonly host: string; readonly port: number }
}

/**
 * Answers one API. The broker calls `handle` in the order of a connection's requests. It returns
 * the response, a promise of it, or null if the client expects none (Produce with acks=0). Omitted
 * response fields get their defaults. If it throws, `onError` creates the response. Without
 * `onError`, the response carries the error code if the API has a top-level field for it. Otherwise
 * the broker logs the error and closes the connection.
 */
export interface Handler<Req, Res> {
  readonly key: number
  /**
   * If true, requests of one connection may overlap. `handle` must then do everything that depends
   * on the order before its first await. (Responses are always sent in order.) If false, the next
   * request waits until this one has been answered, as in Kafka.
   */
  readonly overlaps?: boolean
  handle(request: Req, ctx: RequestContext): Res | null | Promise<Res | null>
  /**
   * Creates the response for an error that `handle` threw. The code is that of a KafkaError,
   * otherwise UNKNOWN_SERVER_ERROR.
   */
  onError?(code: number, request: Req, ctx: RequestContext): Res
}

/** A handler without its message types, as the registry (handlers/index.ts) stores it. */
export type AnyHandler = Handler<never, unknown>
