import type { Coordinators } from '../coordinator/index.ts'
import type { BaseServices } from '../services.ts'
import type { FetchRoom } from './fetch-room.ts'
import type { FetchSessions } from './fetch-sessions.ts'

/** Who sent a request. */
export interface ConnectionInfo {
  /** Unique while the broker runs. */
  readonly id: number
  /** The peer's address, as group members show it: `127.0.0.1`. */
  readonly host: string
  /** The listener it came in by: `PLAINTEXT`. */
  readonly listener: string
}

/** What a handler knows beside the request itself. */
export interface RequestContext {
  readonly apiKey: number
  readonly apiVersion: number
  readonly correlationId: number
  readonly clientId: string | null
  readonly connection: ConnectionInfo
  /** Aborted when the connection closes or the broker stops: whoever waits for something, stops waiting. */
  readonly signal: AbortSignal
  readonly memory: RequestMemory
  readonly broker: BrokerServices
}

/**
 * What a handler may tell of memory, so that it is used again. What it does not tell is left to the garbage collector: so whoever keeps parts of a
 * request need not do anything.
 */
export interface RequestMemory {
  /** Nothing refers to the request's bytes any more, nor to anything decoded from them but numbers and strings. */
  requestIsDone(): void
  /** Calls back when the response's bytes have left, so that what they were made of may change; never when the connection broke. */
  onSent(done: () => void): void
}

/** The rooms of the broker, as the handlers see them. */
export interface BrokerServices extends BaseServices {
  /** Made by `createCoordinators` before anything is served, started when the image and the logs are there, closed before the logs are. */
  readonly coordinators: Coordinators
  readonly fetchSessions: FetchSessions
  /** Where a fetch gets the right to read, so that what slow readers have not taken yet stays bounded. */
  readonly fetchRoom: FetchRoom
  /** The address that clients shall use for this broker on a listener. */
  advertised(listener: string): { readonly host: string; readonly port: number }
}

/**
 * Answers one API. `handle` is called in the order in which a connection's requests came. It returns the response (an input of its
 * declaration: what is left out gets its default), a promise of it, or null when the client wants none (Produce with acks=0).
 * What it throws: a KafkaError or anything else ends the connection after a log line, unless `onError` makes a response of it.
 */
export interface Handler<Req, Res> {
  readonly key: number
  /**
   * True: requests of one connection may overlap. `handle` must then do what needs order before its first await (responses always
   * leave in order). False: the next request waits until this one is answered, as in Kafka.
   */
  readonly overlaps?: boolean
  handle(request: Req, ctx: RequestContext): Res | null | Promise<Res | null>
  /** The response that tells an error that `handle` threw; the code is that of a KafkaError, else UNKNOWN_SERVER_ERROR. */
  onError?(code: number, request: Req, ctx: RequestContext): Res
}

/** A handler whose message types are known to nobody but itself: what the registry (handlers/index.ts) holds. */
export type AnyHandler = Handler<never, unknown>
