/**
 * Runs `millrace connect-distributed` in a separate process, with a broker that is already running.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePort } from '../../core/common/free-port.ts'
import { eventually } from '../platform.ts'
import { RestClient } from '../rest-client.ts'
import type { Api } from './harness.ts'

const root = join(import.meta.dirname, '../..')
const built = join(root, 'dist/cli/bin.js')
const program = process.env['MILLRACE_TEST_DIST'] === '1' && existsSync(built) ? built : join(root, 'cli/bin.ts')

export class WorkerProcess extends RestClient implements Api {
  readonly #child: ChildProcess
  readonly restPort: number
  readonly #ended: Promise<number | null>
  output = ''

  private constructor(child: ChildProcess, restPort: number) {
    super()
    this.#child = child
    this.restPort = restPort
    for (const stream of [child.stdout, child.stderr])
      stream?.on('data', chunk => {
        this.output = (this.output + chunk).slice(-200_000)
      })
    this.#ended = new Promise(done => child.once('exit', code => done(code)))
    process.once('exit', () => child.kill('SIGKILL'))
  }

  /**
   * Starts the worker and waits until the REST API answers. `props` override the default
   * properties.
   */
  static async start(dir: string, bootstrap: string, props: Readonly<Record<string, string>>): Promise<WorkerProcess> {
    const restPort = await freePort()
    const file = join(dir, 'worker.properties')
    const topics = ['config', 'offset', 'status'].flatMap(kind => [
      `${kind}.storage.topic=worker-${kind}`,
      `${kind}.storage.replication.factor=1`,
    ])
    const converter = 'org.apache.kafka.connect.json.JsonConverter'
    const lines = {
      'bootstrap.servers': bootstrap,
      'group.id': 'faults',
      'key.converter': converter,
      'value.converter': converter,
      'offset.flush.interval.ms': '500',
      listeners: `http://127.0.0.1:${restPort}`,
      ...props,
    }
    const text = [...topics, ...Object.entries(lines).map(([key, value]) => `${key}=${value}`)].join('\n')
    writeFileSync(file, `${text}\n`)
    const child = spawn(process.execPath, [program, 'connect-distributed', file], { stdio: ['ignore', 'pipe', 'pipe'] })
    const worker = new WorkerProcess(child, restPort)
    await eventually(
      async () => {
        if (child.exitCode !== null) throw new Error(`the worker exited with code ${child.exitCode}: ${worker.output}`)
        try {
          return (await worker.rest('GET', '/connectors')).status === 200
        } catch {
          return false
        }
      },
      () => `the worker does not serve: ${worker.output}`,
    )
    return worker
  }

  get alive(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null
  }

  /**
   * Stops the worker as Ctrl-C does. Returns the exit code, or null if the process had to be
   * killed.
   */
  async stop(): Promise<number | null> {
    if (this.alive) this.#child.kill('SIGINT')
    return this.#ended
  }
}
