import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Logger } from '../../common/log.ts'
import { type Broker, type BrokerOptions, startBroker } from '../broker.ts'

/** A broker that runs in this process, with a temporary directory and a free port. */
export interface TestBroker {
  readonly broker: Broker
  readonly port: number
  /** The address of the broker for `bootstrap.servers`. */
  readonly bootstrap: string
  readonly dir: string
  /**
   * Stops the broker cleanly and starts it again with the same directory and port. `overrides`
   * changes settings.
   */
  restart(overrides?: Record<string, string>): Promise<void>
  /** Stops the broker. `close` removes the directory later. */
  stop(): Promise<void>
  /** Stops the broker and removes its directory. */
  close(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

/** Settings that make tests faster. */
const DEFAULTS = {
  'group.initial.rebalance.delay.ms': '0',
  'offsets.topic.num.partitions': '2',
}

/** A logger that discards all lines. */
export const silentLogger: Logger = {
  name: 'silent',
  trace: () => {},
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
  isEnabled: () => false,
  withContext: () => silentLogger,
}

/** Starts a broker for a test. `overrides` contains keys of server.properties. */
export async function startTestBroker(
  overrides: Record<string, string> = {},
  options: BrokerOptions = {},
): Promise<TestBroker> {
  const dir = await mkdtemp(join(tmpdir(), 'millrace-broker-'))
  const start = (port: number, more: Record<string, string>) =>
    startBroker(
      { ...DEFAULTS, 'log.dirs': dir, listeners: `PLAINTEXT://127.0.0.1:${port}`, ...more },
      { logger: silentLogger, ...options },
    )
  let settings = overrides
  let broker: Broker
  try {
    broker = await start(0, settings)
  } catch (error) {
    await rm(dir, { recursive: true, force: true })
    throw error
  }
  const { port } = broker
  const close = async () => {
    await broker.close()
    await rm(dir, { recursive: true, force: true })
  }
  return {
    get broker() {
      return broker
    },
    port,
    bootstrap: `127.0.0.1:${port}`,
    dir,
    async restart(changed = {}) {
      await broker.close()
      settings = { ...settings, ...changed }
      broker = await start(port, settings)
    },
    stop: () => broker.close(),
    close,
    [Symbol.asyncDispose]: close,
  }
}
