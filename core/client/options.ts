import { ConfigError } from '../common/config/parse.ts'
import { createLogger, type Logger } from '../common/log.ts'
import type { Address } from './net/connection.ts'
import type { ClientOptions } from './types.ts'

/** The options that all clients share, with defaults filled in. */
export interface CommonOptions {
  readonly bootstrap: readonly Address[]
  readonly clientId: string
  readonly requestTimeoutMs: number
  readonly metadataMaxAgeMs: number
  readonly retryBackoffMs: number
  readonly retryBackoffMaxMs: number
  readonly reconnectBackoffMs: number
  readonly reconnectBackoffMaxMs: number
  readonly connectionsMaxIdleMs: number
  readonly connectionSetupTimeoutMs: number
  readonly logger: Logger
}

/** Gathers what is wrong with options, in Kafka's words, so that all of it is told at once. */
export class OptionChecks {
  readonly #wrong: { key: string; message: string }[] = []

  complain(key: string, value: unknown, why: string): void {
    this.#wrong.push({ key, message: `Invalid value ${value} for configuration ${key}: ${why}` })
  }

  /** What is not given is not wrong. */
  atLeast(key: string, value: number | undefined, min: number): void {
    if (value !== undefined && !(value >= min)) this.complain(key, value, `Value must be at least ${min}`)
  }

  /** Throws a ConfigError where something is wrong. */
  done(): void {
    if (this.#wrong.length > 0) throw new ConfigError(this.#wrong)
  }
}

let counter = 0

/** Fills in Kafka's defaults. Throws a ConfigError on an address that is not `host:port`. */
export function commonOptions(o: ClientOptions, kind: string): CommonOptions {
  const clientId = o.clientId ?? `${kind}-${++counter}`
  return {
    bootstrap: parseAddresses(o.bootstrapServers),
    clientId,
    requestTimeoutMs: o.requestTimeoutMs ?? 30_000,
    metadataMaxAgeMs: o.metadataMaxAgeMs ?? 300_000,
    retryBackoffMs: o.retryBackoffMs ?? 100,
    retryBackoffMaxMs: o.retryBackoffMaxMs ?? 1000,
    reconnectBackoffMs: o.reconnectBackoffMs ?? 50,
    reconnectBackoffMaxMs: o.reconnectBackoffMaxMs ?? 1000,
    connectionsMaxIdleMs: o.connectionsMaxIdleMs ?? 540_000,
    connectionSetupTimeoutMs: o.connectionSetupTimeoutMs ?? 10_000,
    logger: o.logger ?? createLogger(`millrace.client.${kind}`, `[${clientId}] `),
  }
}

/** `host:port` and `[ipv6]:port`, also with a protocol before it, as in `PLAINTEXT://host:9092`. */
export function parseAddresses(list: readonly string[]): Address[] {
  const addresses: Address[] = []
  const checks = new OptionChecks()
  for (const text of list.map(s => s.trim()).filter(s => s !== '')) {
    const match = /^(?:([A-Za-z_]+):\/\/)?(?:\[([0-9a-fA-F:.%]+)\]|([^:[\]/\s]+)):(\d+)$/.exec(text)
    const port = Number(match?.[4])
    if (!match || port < 1 || port > 65535)
      checks.complain('bootstrap.servers', text, 'Must be host:port, with a port between 1 and 65535')
    else addresses.push({ host: match[2] ?? match[3]!, port })
  }
  checks.done()
  if (addresses.length === 0) checks.complain('bootstrap.servers', '', 'No bootstrap servers are given')
  checks.done()
  return addresses
}
