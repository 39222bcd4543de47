/**
 * Runs `millrace start` in a separate process, as users do. Tests may kill it. The process runs
 * from `dist` if `npm test` has built Millrace, or else from the sources.
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

/**
 * A process that runs `millrace start` on a data directory. The process can be started and killed
 * many times, always with the same ports.
 */
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

  /** Starts the process. Does not wait until it is ready. */
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

  /** Starts the process and waits until the REST API answers. */
  async start(args: readonly string[] = [], env: NodeJS.ProcessEnv = {}): Promise<void> {
    this.launch(args, env)
    await this.serves()
  }

  async serves(timeoutMs = 60_000): Promise<void> {
    for (const end = Date.now() + timeoutMs; Date.now() < end; await sleep(20)) {
      const code = this.#child?.exitCode ?? null
      if (code !== null) throw new Error(`the process exited with code ${code}: ${this.output.slice(-3000)}`)
      try {
        const answer = await fetch(`http://127.0.0.1:${this.restPort}/connectors`, {
          signal: AbortSignal.timeout(5000),
        })
        if (answer.ok) return
      } catch (error) {
        // A refused or reset connection means that the process is not ready. Any other error fails
        // the test.
        if (!(error instanceof TypeError) && (error as Error).name !== 'TimeoutError') throw error
      }
    }
    throw new Error(`the process is not ready after ${timeoutMs} ms: ${this.output.slice(-3000)}`)
  }

  /** Sends SIGKILL, so that nothing is cleaned up. */
  async kill(): Promise<void> {
    this.#child?.kill('SIGKILL')
    await this.#ended
  }

  /** Stops the process as Ctrl-C does. Returns the exit code. */
  async stop(): Promise<number | null> {
    if (this.#child?.exitCode === null) this.#child.kill('SIGINT')
    return this.#ended
  }

  /**
   * Waits until the connector and all its tasks are RUNNING. If that takes too long, throws an
   * error with the last status.
   */
  async running(name: string, timeoutMs = 60_000): Promise<void> {
    let last: ConnectorStatus | null = null
    for (const end = Date.now() + timeoutMs; Date.now() < end; await sleep(50)) {
      last = await this.status(name)
      if (last.tasks?.length > 0 && [last.connector, ...last.tasks].every(part => part.state === 'RUNNING')) return
    }
    throw new Error(`${name} is not running after ${timeoutMs} ms: ${JSON.stringify(last)} ${this.output.slice(-2000)}`)
  }
}

/**
 * Polls until a condition is true. If the condition is not true in time, throws an error with the
 * text of `describe`.
 */
export async function eventually(
  holds: () => Promise<boolean> | boolean,
  describe: () => string,
  timeoutMs = 60_000,
): Promise<void> {
  for (const end = Date.now() + timeoutMs; Date.now() < end; await sleep(50)) if (await holds()) return
  throw new Error(`still not true after ${timeoutMs} ms: ${describe()}`)
}
