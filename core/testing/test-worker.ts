import { sleep } from '../common/async/sleep.ts'
import type { Props } from '../connect/props.ts'
import { startWorker, type Worker } from '../worker/worker.ts'

export interface TestWorkerOptions {
  /** The address of the broker, such as `broker.bootstrapServers`. */
  readonly bootstrapServers: string
  /** The folders that contain plugins, as in `plugin.path`. */
  readonly pluginPath?: readonly string[]
  /** The keys of the worker's configuration to add or change. */
  readonly settings?: Props
}

/** The status of a connector, as REST returns it. */
export interface ConnectorStatus {
  readonly name: string
  readonly connector: { readonly state: string; readonly trace?: string }
  readonly tasks: readonly { readonly id: number; readonly state: string; readonly trace?: string }[]
}

/** The interval between requests for the status, in milliseconds. REST has no event for it. */
const STATUS_INTERVAL_MS = 25
const TIMEOUT_MS = 30_000

/**
 * Starts a Connect worker in this process, with its REST API on a free port of 127.0.0.1. Plugins
 * run in worker threads. The worker needs a broker, such as that of `startTestBroker`.
 */
export async function startTestWorker(options: TestWorkerOptions): Promise<TestWorker> {
  const worker = await startWorker(
    {
      'bootstrap.servers': options.bootstrapServers,
      'group.id': 'test-worker',
      'key.converter': 'JsonConverter',
      'key.converter.schemas.enable': 'false',
      'value.converter': 'JsonConverter',
      'value.converter.schemas.enable': 'false',
      'config.storage.topic': 'test-configs',
      'config.storage.replication.factor': '1',
      'offset.storage.topic': 'test-offsets',
      'offset.storage.replication.factor': '1',
      'offset.storage.partitions': '1',
      'status.storage.topic': 'test-status',
      'status.storage.replication.factor': '1',
      'status.storage.partitions': '1',
      'offset.flush.interval.ms': '100',
      'plugin.path': (options.pluginPath ?? []).join(','),
      listeners: 'http://127.0.0.1:0',
      ...options.settings,
    },
    { mode: 'distributed' },
  )
  return new TestWorker(worker)
}

/** A worker in this process. Call `startTestWorker` to create it. */
export class TestWorker implements AsyncDisposable {
  readonly #worker: Worker

  constructor(worker: Worker) {
    this.#worker = worker
  }

  /** The address of the REST API, such as `http://127.0.0.1:8083`. */
  get url(): string {
    return this.#worker.restUrl
  }

  /** Sends a request to the REST API. If the response is an error, throws with its message. */
  async call(method: string, path: string, body?: unknown): Promise<unknown> {
    const init =
      body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }
    const response = await fetch(this.url + path, { method, ...init })
    const text = await response.text()
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`)
    return text === '' ? null : JSON.parse(text)
  }

  /**
   * Creates a connector, and waits until the connector and its tasks are RUNNING. Throws if the
   * connector or a task is FAILED.
   */
  async create(name: string, config: Props): Promise<ConnectorStatus> {
    await this.call('POST', '/connectors', { name, config })
    return this.state(name, 'RUNNING')
  }

  async delete(name: string): Promise<void> {
    await this.call('DELETE', `/connectors/${encodeURIComponent(name)}`)
  }

  async status(name: string): Promise<ConnectorStatus> {
    return (await this.call('GET', `/connectors/${encodeURIComponent(name)}/status`)) as ConnectorStatus
  }

  /** Waits until the connector has tasks, and the connector and all tasks are in this state. */
  async state(name: string, state: string, timeoutMs = TIMEOUT_MS): Promise<ConnectorStatus> {
    let status: ConnectorStatus | null = null
    for (const end = Date.now() + timeoutMs; Date.now() < end; await sleep(STATUS_INTERVAL_MS)) {
      status = await this.status(name).catch(() => null)
      if (!status) continue
      const parts = [status.connector, ...status.tasks]
      if (status.tasks.length > 0 && parts.every(part => part.state === state)) return status
      const failed = parts.find(part => part.state === 'FAILED')
      if (failed && state !== 'FAILED') throw new Error(`${name} failed: ${failed.trace}`)
      if (failed) return status
    }
    throw new Error(`${name} is not ${state} after ${timeoutMs} ms: ${JSON.stringify(status)}`)
  }

  async close(): Promise<void> {
    await this.#worker.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }
}
