/** What the fault tests share: a folder, a platform of its own process in it, and a pipeline beside that nothing may disturb. */
import { appendFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { eventually, Platform } from '../platform.ts'
import type { ConnectorStatus } from '../rest-client.ts'

/** What these tests need of a platform, or of a worker by itself. */
export type Api = Pick<Platform, 'rest' | 'create' | 'status' | 'output'>

export interface Fixture {
  readonly dir: string
  readonly platform: Platform
  /** Run at the end, the last one first. */
  readonly cleanup: (() => Promise<unknown> | unknown)[]
  close(): Promise<void>
}

/** A platform that is not started yet, its data in `data` of a folder of its own. */
export async function fixture(): Promise<Fixture> {
  const dir = mkdtempSync(join(tmpdir(), 'millrace-faults-'))
  const platform = await Platform.create(join(dir, 'data'))
  mkdirSync(join(dir, 'data'))
  const cleanup: Fixture['cleanup'] = [() => rmSync(dir, { recursive: true, force: true }), () => platform.kill()]
  const close = async () => {
    for (const step of cleanup.splice(0).reverse()) await step()
  }
  return { dir, platform, cleanup, close }
}

/** A file into a topic into a file: `moves` proves that it still runs, by a line that goes the whole way. */
export class Beside {
  readonly #platform: Api
  readonly #source: string
  readonly #sink: string
  #lines = 0

  constructor(dir: string, platform: Api) {
    this.#platform = platform
    this.#source = join(dir, 'beside.in')
    this.#sink = join(dir, 'beside.out')
  }

  async start(): Promise<this> {
    appendFileSync(this.#source, '')
    const plain = { 'value.converter': 'org.apache.kafka.connect.storage.StringConverter' }
    // after a kill -9 the dead member of the group is waited for
    const soon = { 'consumer.override.session.timeout.ms': '6000' }
    const source = { 'connector.class': 'FileStreamSource', file: this.#source, topic: 'beside', ...plain }
    const sink = { 'connector.class': 'FileStreamSink', file: this.#sink, topics: 'beside', ...plain, ...soon }
    await this.#platform.create('beside-source', source)
    await this.#platform.create('beside-sink', sink)
    await this.moves()
    return this
  }

  /** A new line goes through, and all lines before it have: none lost. */
  async moves(): Promise<void> {
    this.#lines++
    appendFileSync(this.#source, `line ${this.#lines}\n`)
    const arrived = () => new Set(existsSync(this.#sink) ? readFileSync(this.#sink, 'utf8').split('\n') : [])
    await eventually(
      () => Array.from({ length: this.#lines }, (_, i) => `line ${i + 1}`).every(line => arrived().has(line)),
      () => `the pipeline beside stands still: ${[...arrived()].slice(-3)}; ${this.#platform.output.slice(-2000)}`,
      30_000,
    )
  }
}

/** The connector's and its tasks' states, and all their traces. */
export function summary(status: ConnectorStatus): { readonly states: readonly string[]; readonly trace: string } {
  const parts = [status.connector, ...(status.tasks ?? [])]
  return { states: parts.map(part => part.state), trace: parts.map(part => part.trace ?? '').join('\n') }
}

/** Waits until the status says this, in this state of its (only) task. */
export async function says(platform: Api, name: string, state: string, message: RegExp): Promise<string> {
  let last = ''
  await eventually(
    async () => {
      const status = await platform.status(name)
      last = JSON.stringify(status)
      return status.tasks?.[0]?.state === state && message.test(status.tasks[0].trace ?? '')
    },
    () => `${name} is not ${state} with ${message}: ${last}; ${platform.output.slice(-2000)}`,
    40_000,
  )
  return last
}

/** Waits until all parts are RUNNING and no trace is left: nothing is waited for any more. */
export async function healed(platform: Api, name: string): Promise<void> {
  let last = ''
  await eventually(
    async () => {
      const { states, trace } = summary(await platform.status(name))
      last = `${states} ${trace}`
      return states.length > 1 && states.every(s => s === 'RUNNING') && trace.trim() === ''
    },
    () => `${name} is not healed: ${last}; ${platform.output.slice(-2000)}`,
    40_000,
  )
}
