import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { Props } from '../connect/props.ts'

export interface TestBrokerOptions {
  /** The keys of `server.properties` to add or change. */
  readonly settings?: Props
  /** The folder for the broker's data. Default: a temporary folder, which `stop` removes. */
  readonly dataDir?: string
}

/**
 * Starts a Millrace broker in a separate process, on a free port of 127.0.0.1. The broker ends when
 * the process of the tests ends, if it was not stopped before.
 *
 * ```ts
 * await using broker = await startTestBroker()
 * const producer = createProducer({ bootstrapServers: [broker.bootstrapServers] })
 * ```
 */
export async function startTestBroker(options: TestBrokerOptions = {}): Promise<TestBroker> {
  const broker = new TestBroker(options)
  await broker.start()
  return broker
}

/** A broker in a separate process. Call `startTestBroker` to create it. */
export class TestBroker implements AsyncDisposable {
  readonly dataDir: string
  readonly #settings: Props
  readonly #removes: boolean
  #child: ChildProcess | null = null
  #port = 0

  constructor({ settings = {}, dataDir }: TestBrokerOptions) {
    this.#settings = settings
    this.#removes = dataDir === undefined
    this.dataDir = dataDir ?? mkdtempSync(join(tmpdir(), 'millrace-broker-'))
  }

  /** The port. It is the same after `kill` and `start`. */
  get port(): number {
    return this.#port
  }

  /** The value for `bootstrap.servers` of clients. */
  get bootstrapServers(): string {
    return `127.0.0.1:${this.#port}`
  }

  /** Starts the broker. After `kill`, it has the same data and port as before. */
  async start(): Promise<void> {
    if (this.#child) return
    const settings = {
      listeners: `PLAINTEXT://127.0.0.1:${this.#port}`,
      'log.dirs': join(this.dataDir, 'logs'),
      'offsets.topic.num.partitions': '2',
      'offsets.topic.replication.factor': '1',
      'group.initial.rebalance.delay.ms': '0',
      ...this.#settings,
    }
    const child = spawn(process.execPath, [program(), JSON.stringify(settings)], { stdio: ['pipe', 'pipe', 'pipe'] })
    this.#child = child
    let log = ''
    child.stderr.on('data', chunk => {
      log = `${log}${chunk}`.slice(-10_000)
    })
    for await (const line of createInterface({ input: child.stdout })) {
      this.#port = (JSON.parse(line) as { port: number }).port
      return
    }
    this.#child = null
    throw new Error(`the test broker could not start:\n${log}`)
  }

  /** Kills the broker's process, which simulates a crash. The data on disk is kept. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL')
  }

  /** Shuts the broker down, and removes its temporary folder. */
  async stop(): Promise<void> {
    await this.#end('SIGTERM')
    if (this.#removes) rmSync(this.dataDir, { recursive: true, force: true })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child
    this.#child = null
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    const exit = once(child, 'exit')
    child.kill(signal)
    await exit
  }
}

/**
 * Returns the path of the broker's program: JavaScript in a build, TypeScript in the sources.
 */
function program(): string {
  const path = fileURLToPath(new URL('./broker-process.js', import.meta.url))
  return existsSync(path) ? path : path.replace(/\.js$/, '.ts')
}
