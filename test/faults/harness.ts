/**
 * Helpers that the fault tests share: `millrace start` in another process, and a pipeline that
 * faults must not affect.
 */
import { appendFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { eventually, Platform } from '../platform.ts'
import type { ConnectorStatus } from '../rest-client.ts'

/** The methods of a `Platform`, or of a worker alone, that these tests use. */
export type Api = Pick<Platform, 'rest' | 'create' | 'status' | 'output'>

export interface Fixture {
  readonly dir: string
  readonly platform: Platform
  /** Functions that are called after the tests, in reverse order. */
  readonly cleanup: (() => Promise<unknown> | unknown)[]
  close(): Promise<void>
}

/**
 * Returns a `Platform` that is not started yet, with its data in the folder `data` of a new folder.
 */
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

/**
 * A pipeline from a file through a topic into a file. `moves` checks that the pipeline is still
 * running: it writes a new line.
 */
export class OtherPipeline {
  readonly #platform: Api
  readonly #source: string
  readonly #sink: string
  #lines = 0

  constructor(dir: string, platform: Api) {
    this.#platform = platform
    this.#source = join(dir, 'otherPipeline.in')
    this.#sink = join(dir, 'otherPipeline.out')
  }

  async start(): Promise<this> {
    appendFileSync(this.#source, '')
    const plain = { 'value.converter': 'org.apache.kafka.connect.storage.StringConverter' }
    // After a kill -9, the group waits until the session of its old member times out.
    const soon = { 'consumer.override.session.timeout.ms': '6000' }
    const source = { 'connector.class': 'FileStreamSource', file: this.#source, topic: 'otherPipeline', ...plain }
    const sink = { 'connector.class': 'FileStreamSink', file: this.#sink, topics: 'otherPipeline', ...plain, ...soon }
    await this.#platform.create('otherPipeline-source', source)
    await this.#platform.create('otherPipeline-sink', sink)
    await this.moves()
    return this
  }

  /** Writes a line and waits until it arrives. Checks that all earlier lines have arrived. */
  async moves(): Promise<void> {
    this.#lines++
    appendFileSync(this.#source, `line ${this.#lines}\n`)
    const arrived = () => new Set(existsSync(this.#sink) ? readFileSync(this.#sink, 'utf8').split('\n') : [])
    await eventually(
      () => Array.from({ length: this.#lines }, (_, i) => `line ${i + 1}`).every(line => arrived().has(line)),
      () => `the other pipeline does not progress: ${[...arrived()].slice(-3)}; ${this.#platform.output.slice(-2000)}`,
      30_000,
    )
  }
}

/** Returns the states of the connector and its tasks, and their traces as one text. */
export function summary(status: ConnectorStatus): { readonly states: readonly string[]; readonly trace: string } {
  const parts = [status.connector, ...(status.tasks ?? [])]
  return { states: parts.map(part => part.state), trace: parts.map(part => part.trace ?? '').join('\n') }
}

/** Waits until the only task has this state and the status matches `message`. */
export async function statusSays(platform: Api, name: string, state: string, message: RegExp): Promise<string> {
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

/** Waits until the connector and its tasks are RUNNING and no trace is left. */
export async function recovered(platform: Api, name: string): Promise<void> {
  let last = ''
  await eventually(
    async () => {
      const { states, trace } = summary(await platform.status(name))
      last = `${states} ${trace}`
      return states.length > 1 && states.every(s => s === 'RUNNING') && trace.trim() === ''
    },
    () => `${name} is not recovered: ${last}; ${platform.output.slice(-2000)}`,
    40_000,
  )
}
