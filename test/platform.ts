/**
 * The platform as users run it: a process of its own, started by the command line, that a test may kill. From `dist` when it was
 * built for this run (`npm test` does), else from the sources.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { appendFileSync, existsSync } from 'node:fs'
import { join } from 'node:path'
import { sleep } from '../core/common/async/sleep.ts'
import { freePort } from '../core/common/free-port.ts'
import { type ConnectorStatus, RestClient } from './rest-client.ts'

const root = join(import.meta.dirname, '..')
const built = join(root, 'dist/cli/bin.js')
const program = process.env['MILLRACE_TEST_DIST'] === '1' && existsSync(built) ? built : join(root, 'cli/bin.ts')

/** A platform on a data directory, to be started and killed any number of times; its ports stay the same. */
export class Platform extends RestClient {
  readonly dir: string
  readonly port: number
  readonly restPort: number
  #child: ChildProcess | null = null
  #ended: Promise<number | null> = Promise.resolve(null)
  output = ''

  private constructor(dir: string, port: number, restPort: number) {
    super()
    this.dir = dir
    this.port = port
    this.restPort = restPort
  }

  static async create(dir: string): Promise<Platform> {
    return new Platform(dir, await freePort(), await freePort())
  }

  get bootstrap(): string {
    return `127.0.0.1:${this.port}`
  }

  get pid(): number | undefined {
    return this.#child?.pid
  }

  /** Starts the process; does not wait until it serves. */
  launch(args: readonly string[] = [], env: NodeJS.ProcessEnv = {}): void {
    const options = [
      'start',
      '--data-dir',
      this.dir,
      '--port',
      String(this.port),
      '--rest-port',
      String(this.restPort),
      ...args,
    ]
    const child = spawn(process.execPath, [program, ...options], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...env },
    })
    this.#child = child
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', chunk => {
        this.output = (this.output + chunk).slice(-200_000)
        if (process.env['MILLRACE_TEST_LOG']) appendFileSync(process.env['MILLRACE_TEST_LOG'], chunk)
      })
    }
    const killed = () => child.kill('SIGKILL')
    process.once('exit', killed)
    this.#ended = new Promise(done =>
      child.once('exit', code => {
        process.off('exit', killed)
        done(code)
      }),
    )
  }

  /** Starts and waits until REST answers. */
  async start(args: readonly string[] = [], env: NodeJS.ProcessEnv = {}): Promise<void> {
    this.launch(args, env)
    await this.serves()
  }

  async serves(timeoutMs = 60_000): Promise<void> {
    for (const end = Date.now() + timeoutMs; Date.now() < end; await sleep(20)) {
      const code = this.#child?.exitCode ?? null
      if (code !== null) throw new Error(`the platform ended with ${code}: ${this.output.slice(-3000)}`)
      try {
        const answer = await fetch(`http://127.0.0.1:${this.restPort}/connectors`, {
          signal: AbortSignal.timeout(5000),
        })
        if (answer.ok) return
      } catch (error) {
        // refused or cut: it is not up yet; anything else is a fault of the test
        if (!(error instanceof TypeError) && (error as Error).name !== 'TimeoutError') throw error
      }
    }
    throw new Error(`the platform does not serve after ${timeoutMs} ms: ${this.output.slice(-3000)}`)
  }

  /** SIGKILL: nothing gets a chance to clean up. */
  async kill(): Promise<void> {
    this.#child?.kill('SIGKILL')
    await this.#ended
  }

  /** As Ctrl-C; the exit code. */
  async stop(): Promise<number | null> {
    if (this.#child?.exitCode === null) this.#child.kill('SIGINT')
    return this.#ended
  }

  /** Waits until the connector and all of its tasks are RUNNING; throws with the trace when one fails for good. */
  async running(name: string, timeoutMs = 60_000): Promise<void> {
    let last: ConnectorStatus | null = null
    for (const end = Date.now() + timeoutMs; Date.now() < end; await sleep(50)) {
      last = await this.status(name)
      if (last.tasks?.length > 0 && [last.connector, ...last.tasks].every(part => part.state === 'RUNNING')) return
    }
    throw new Error(`${name} is not running after ${timeoutMs} ms: ${JSON.stringify(last)} ${this.output.slice(-2000)}`)
  }
}

/** Polls until a condition holds; throws what `describe` says when it does not in time. */
export async function eventually(
  holds: () => Promise<boolean> | boolean,
  describe: () => string,
  timeoutMs = 60_000,
): Promise<void> {
  for (const end = Date.now() + timeoutMs; Date.now() < end; await sleep(50)) if (await holds()) return
  throw new Error(`not within ${timeoutMs} ms: ${describe()}`)
}
