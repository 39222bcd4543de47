import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { Props } from '../connect/props.ts'

export interface TestBrokerOptions {
  /** Keys of `server.properties` to add or to change. */
  readonly settings?: Props
  /** Where the broker stores its data. Default: a temporary folder, which `stop` removes. */
  readonly dataDir?: string
}

/**
 * Starts a Millrace broker on a free port of 127.0.0.1, in a process of its own. Ends with the
 * process of the tests at the latest.
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

/** A broker for tests. */
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

  /** The port, which stays the same after a restart. */
  get port(): number {
    return this.#port
  }

  /** The value for `bootstrap.servers`. */
  get bootstrapServers(): string {
    return `127.0.0.1:${this.#port}`
  }

  /** Starts the broker again after `kill`, with its data and on its port. */
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

  /** Kills the broker's process, as a crash does. Its data stays. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL')
  }

  /** Stops the broker in an orderly way, and removes its temporary folder. */
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
 * Returns the path of the broker's program: TypeScript when running from sources, else JavaScript.
 */
function program(): string {
  const path = fileURLToPath(new URL('./broker-process.js', import.meta.url))
  return existsSync(path) ? path : path.replace(/\.js$/, '.ts')
}
