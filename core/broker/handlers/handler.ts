import type { Coordinators } from '../coordinator/index.ts'
import type { BrokerStats } from '../metrics/broker-stats.ts'
import type { BaseServices } from '../services.ts'
import type { FetchBudget } from './fetch-budget.ts'
import type { FetchSessions } from './fetch-sessions.ts'

/** The connection that a request came from. */
export interface ConnectionInfo {
  /** An id that is unique until the broker stops. */
  readonly id: number
  /** The client's address, such as `127.0.0.1`. DescribeGroups returns it. */
  readonly host: string
  /** The listener that accepted the connection, such as `PLAINTEXT`. */
  readonly listener: string
}

/** The context in which a handler handles a request. */
export interface RequestContext {
  readonly apiKey: number
  readonly apiVersion: number
  readonly correlationId: number
  readonly clientId: string | null
  readonly connection: ConnectionInfo
  /** Aborted when the connection closes or the broker stops. A handler must then stop waiting. */
  readonly signal: AbortSignal
  readonly memory: RequestMemory
  readonly broker: BrokerServices
}

/**
 * Lets a handler return buffers to the pool. This is optional, because other buffers are garbage
 * collected. A handler that keeps parts of a request must not return the request's buffer.
 */
export interface RequestMemory {
  /**
   * Declares that the request's bytes are no longer used. This includes values that were decoded
   * from them, except numbers and strings.
   */
  requestIsDone(): void
  /**
   * Calls `done` when the response has been sent, so that its buffers can be reused. `done` is not
   * called if the connection fails.
   */
  onSent(done: () => void): void
}

/** The broker's services that handlers use. */
export interface BrokerServices extends BaseServices {
  /**
   * The coordinators. They are created by `createCoordinators`, started after the image and the
   * logs are loaded, and closed before the logs.
   */
  readonly coordinators: Coordinators
  readonly fetchSessions: FetchSessions
  readonly stats: BrokerStats
  /** Limits the memory of the fetch responses that slow clients have not read yet. */
  readonly fetchBudget: FetchBudget
  /** Returns the address at which clients on this listener reach the broker. */
  advertised(listener: string): { readonly host: string; readonly port: number }
}

/**
 * Handles the requests of one API. The broker calls `handle` in the order of a connection's
 * requests. `handle` returns the response, a promise of the response, or null if the client expects
 * no response (Produce with acks=0). Omitted response fields get their defaults. If `handle`
 * throws, `onError` creates the response. Without `onError`, the response contains only the error
 * code. If the API has no top-level field for an error code, the broker logs the error and closes
 * the connection.
 */
export interface Handler<Req, Res> {
  readonly key: number
  /**
   * If true, requests of one connection may overlap. `handle` must then do everything that depends
   * on their order before its first await. (Responses are always sent in order.) If false, the next
   * request waits until this request has been answered, as in Kafka.
   */
  readonly overlaps?: boolean
  handle(request: Req, ctx: RequestContext): Res | null | Promise<Res | null>
  /**
   * Creates the response for an error that `handle` threw. `code` is the code of a KafkaError, or
   * UNKNOWN_SERVER_ERROR for any other error.
   */
  onError?(code: number, request: Req, ctx: RequestContext): Res
}

/** A handler without its message types, as the registry (handlers/index.ts) stores it. */
export type AnyHandler = Handler<never, unknown>
