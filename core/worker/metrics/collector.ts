import { type Family, type Metric, type Sample, single } from '../../common/metrics/metric.ts'
import type { ConfigState } from '../storage/config-state.ts'
import type { StatusStore, UnitState } from '../storage/status-store.ts'
import type { ClientSample, TaskSnapshot, ThreadEvent } from '../task/host/messages-out.ts'
import type { ThreadHost } from '../task/host/thread-host.ts'
import { checkSnapshot } from './check-snapshot.ts'
import { type Lag, lagOf, sumOf } from './lag.ts'
import { pluginFamilies } from './plugin-families.ts'
import { Startups } from './startups.ts'
import { TASK_METRICS, type TaskMetricName } from './task-metrics.ts'
import { WORKER_METRICS as M } from './worker-metrics.ts'

export interface CollectorOptions {
  readonly state: ConfigState
  readonly statuses: StatusStore
  readonly workerId: () => string
  readonly pluginOf: (config: Readonly<Record<string, string>>) => ConnectorPlugin | null
  readonly hosts: () => Iterable<ThreadHost>
  readonly blockedMs: (host: ThreadHost) => number
  readonly now: () => number
}

export interface ConnectorPlugin {
  readonly className: string
  readonly type: string
  readonly version: string
}

/** A task that has sent metrics, and its last snapshot. */
export interface ReportingTask {
  readonly connector: string
  readonly task: string
  readonly snapshot: TaskSnapshot
}

type MemoryEvent = Extract<ThreadEvent, { type: 'memory' }>

const TASK_STATES: readonly (readonly [UnitState, Metric])[] = [
  ['RUNNING', M.kafka_connect_worker_connector_running_task_count],
  ['PAUSED', M.kafka_connect_worker_connector_paused_task_count],
  ['FAILED', M.kafka_connect_worker_connector_failed_task_count],
  ['UNASSIGNED', M.kafka_connect_worker_connector_unassigned_task_count],
  ['RESTARTING', M.kafka_connect_worker_connector_restarting_task_count],
  ['DESTROYED', M.kafka_connect_worker_connector_destroyed_task_count],
]

/**
 * Keeps the latest metrics that task threads have sent, and converts them for each scrape. A scrape
 * sends no request to a thread, so it succeeds even while a thread hangs. Deleted connectors and
 * tasks have no metrics.
 */
export class WorkerCollector {
  readonly #connectorStartups = new Startups()
  readonly #taskStartups = new Startups()
  readonly #o: CollectorOptions
  readonly #tasks = new Map<string, Map<number, TaskSnapshot>>()
  readonly #memory = new WeakMap<ThreadHost, MemoryEvent>()

  constructor(options: CollectorOptions) {
    this.#o = options
  }

  /** Keeps a task's snapshot. Throws a TypeError if the snapshot cannot be exported. */
  onTask(connector: string, task: number, snapshot: TaskSnapshot): void {
    checkSnapshot(snapshot)
    let tasks = this.#tasks.get(connector)
    if (!tasks) this.#tasks.set(connector, (tasks = new Map()))
    tasks.set(task, snapshot)
  }

  /**
   * Counts a phase change of a connector (null) or of a task. A task that starts has new counters,
   * so its snapshot is deleted.
   */
  onStart(connector: string, task: number | null, phase: string): void {
    if (phase === 'starting' && task !== null) this.#forgetTask(connector, task)
    const startups = task === null ? this.#connectorStartups : this.#taskStartups
    const unit = `${connector}-${task}`
    if (phase === 'starting') startups.started(unit)
    else if (phase === 'down') startups.cancelled(unit)
    else if (phase === 'running' || phase === 'paused') startups.ended(unit, true)
    else if (phase === 'failed') startups.ended(unit, false)
  }

  /** Deletes the snapshot of a task that starts again, or that no longer exists. */
  #forgetTask(connector: string, task: number): void {
    const tasks = this.#tasks.get(connector)
    tasks?.delete(task)
    if (tasks?.size === 0) this.#tasks.delete(connector)
  }

  onMemory(host: ThreadHost, event: MemoryEvent): void {
    const { heapUsed, heapLimit, external, utilization } = event
    if (![heapUsed, heapLimit, external, utilization].every(Number.isFinite)) throw new TypeError('not a memory event')
    this.#memory.set(host, event)
  }

  /** Yields all metrics of the worker, except those of its process. */
  *families(): Generator<Family> {
    const tasks = this.#reporting()
    yield* this.#connectors()
    yield* this.#workerCounts()
    for (const name of Object.keys(TASK_METRICS) as TaskMetricName[]) {
      const samples = tasks.flatMap(({ connector, task, snapshot }): Sample[] => {
        const value = snapshot.values[name]
        return value === undefined ? [] : [[[connector, task], value]]
      })
      if (samples.length > 0) yield { metric: TASK_METRICS[name], samples }
    }
    yield {
      metric: M.millrace_task_stage_seconds_total,
      samples: tasks.flatMap(({ connector, task, snapshot }) =>
        snapshot.stages.map(([stage, seconds]): Sample => [[connector, task, stage], seconds]),
      ),
    }
    yield* this.#lags(tasks)
    yield* clientFamilies(tasks)
    yield* pluginFamilies(tasks)
    yield* this.#threads()
  }

  /**
   * Returns the tasks that have sent snapshots. Deletes the snapshots of tasks that no longer
   * exist.
   */
  #reporting(): ReportingTask[] {
    const { state } = this.#o
    const found: ReportingTask[] = []
    for (const [connector, tasks] of [...this.#tasks]) {
      const configured = state.config(connector) === null ? 0 : state.tasks(connector).length
      const stopped = state.target(connector) === 'STOPPED'
      for (const [task, snapshot] of [...tasks]) {
        if (task >= configured || stopped) this.#forgetTask(connector, task)
        else found.push({ connector, task: String(task), snapshot })
      }
    }
    return found
  }

  *#connectors(): Generator<Family> {
    const { state, statuses, pluginOf } = this.#o
    const info = state.connectors.map(name => [name, pluginOf(state.config(name) ?? {})] as const)
    const facts = (metric: Metric, of: (plugin: ConnectorPlugin) => string): Family => ({
      metric,
      samples: info.flatMap(([name, plugin]): Sample[] => (plugin ? [[[name, of(plugin)], 1]] : [])),
    })
    yield facts(M.kafka_connect_connector_connector_class, p => p.className)
    yield facts(M.kafka_connect_connector_connector_type, p => p.type)
    yield facts(M.kafka_connect_connector_connector_version, p => p.version)
    const status: Sample[] = []
    const taskStatus: Sample[] = []
    for (const name of state.connectors) {
      const connector = statuses.connector(name)
      if (connector) status.push([[name, connector.state.toLowerCase()], 1])
      for (const [task, unit] of statuses.tasks(name)) {
        taskStatus.push([[name, String(task), unit.state.toLowerCase()], 1])
      }
    }
    yield { metric: M.kafka_connect_connector_status, samples: status }
    yield { metric: M.kafka_connect_connector_task_status, samples: taskStatus }
    const counted = (metric: Metric, count: (name: string) => number): Family => ({
      metric,
      samples: state.connectors.map((name): Sample => [[name], count(name)]),
    })
    yield counted(M.kafka_connect_worker_connector_total_task_count, name => state.tasks(name).length)
    for (const [unitState, metric] of TASK_STATES) {
      yield counted(metric, name => statuses.tasks(name).filter(([, unit]) => unit.state === unitState).length)
    }
  }

  *#workerCounts(): Generator<Family> {
    const { state, workerId } = this.#o
    const connectors = state.connectors.length
    const tasks = state.connectors.reduce((sum, name) => sum + state.tasks(name).length, 0)
    yield single(M.kafka_connect_worker_connector_count, connectors)
    yield single(M.kafka_connect_worker_task_count, tasks)
    const client = `connect-${workerId()}`
    yield { metric: M.kafka_connect_coordinator_assigned_connectors, samples: [[[client], connectors]] }
    yield { metric: M.kafka_connect_coordinator_assigned_tasks, samples: [[[client], tasks]] }
    const c = this.#connectorStartups
    const t = this.#taskStartups
    yield single(M.kafka_connect_worker_connector_startup_attempts_total, c.attempts)
    yield single(M.kafka_connect_worker_connector_startup_success_total, c.successes)
    yield single(M.kafka_connect_worker_connector_startup_failure_total, c.failures)
    yield single(M.kafka_connect_worker_connector_startup_success_percentage, c.successFraction)
    yield single(M.kafka_connect_worker_connector_startup_failure_percentage, c.failureFraction)
    yield single(M.kafka_connect_worker_task_startup_attempts_total, t.attempts)
    yield single(M.kafka_connect_worker_task_startup_success_total, t.successes)
    yield single(M.kafka_connect_worker_task_startup_failure_total, t.failures)
    yield single(M.kafka_connect_worker_task_startup_success_percentage, t.successFraction)
    yield single(M.kafka_connect_worker_task_startup_failure_percentage, t.failureFraction)
  }

  *#lags(tasks: readonly ReportingTask[]): Generator<Family> {
    const { state, pluginOf, now } = this.#o
    const byConnector = new Map<string, Lag[]>()
    const taskSeconds: Sample[] = []
    const taskBytes: Sample[] = []
    for (const { connector, task, snapshot } of tasks) {
      const lag = lagOf(snapshot, now())
      if (lag === null) continue
      const lags = byConnector.get(connector)
      if (lags) lags.push(lag)
      else byConnector.set(connector, [lag])
      if (lag.seconds !== null) taskSeconds.push([[connector, task], lag.seconds])
      if (lag.bytes !== null) taskBytes.push([[connector, task], lag.bytes])
    }
    const sums = [...byConnector].map(([connector, lags]) => {
      return { labels: [connector, pluginOf(state.config(connector) ?? {})?.type ?? ''], lag: sumOf(lags) }
    })
    const family = (metric: Metric, of: (lag: Lag) => number | null): Family => ({
      metric,
      samples: sums.flatMap(({ labels, lag }): Sample[] => {
        const value = of(lag)
        return value === null ? [] : [[labels, value]]
      }),
    })
    yield family(M.millrace_connector_lag_seconds, l => l.seconds)
    yield family(M.millrace_connector_lag_bytes, l => l.bytes)
    yield family(M.millrace_connector_lag_records, l => l.records)
    yield { metric: M.millrace_task_lag_seconds, samples: taskSeconds }
    yield { metric: M.millrace_task_lag_bytes, samples: taskBytes }
  }

  *#threads(): Generator<Family> {
    const hosts = [...this.#o.hosts()].filter(host => host.alive)
    const of = (metric: Metric, value: (event: MemoryEvent) => number): Family => ({
      metric,
      samples: hosts.flatMap((host): Sample[] => {
        const event = this.#memory.get(host)
        return event ? [[[host.name], value(event)]] : []
      }),
    })
    yield of(M.millrace_thread_heap_used_bytes, e => e.heapUsed)
    yield of(M.millrace_thread_heap_limit_bytes, e => e.heapLimit)
    yield of(M.millrace_thread_external_memory_bytes, e => e.external)
    yield of(M.millrace_thread_event_loop_utilization, e => e.utilization)
    yield {
      metric: M.millrace_thread_blocked_seconds,
      samples: hosts.map((host): Sample => [[host.name], this.#o.blockedMs(host) / 1000]),
    }
  }
}

function* clientFamilies(tasks: readonly ReportingTask[]): Generator<Family> {
  for (const kind of ['producer', 'consumer'] as const) {
    const own = clientsOf(tasks, kind)
    const of = (metric: Metric, value: (client: (typeof own)[number]) => number): Family => ({
      metric,
      samples: own.map((c): Sample => [[c.clientId], value(c)]),
    })
    yield of(M[`kafka_${kind}_connection_count`], c => c.connections)
    yield of(M[`kafka_${kind}_connection_creation_total`], c => c.connectionsCreated)
    yield of(M[`kafka_${kind}_incoming_byte_total`], c => c.incomingBytes)
    yield of(M[`kafka_${kind}_outgoing_byte_total`], c => c.outgoingBytes)
  }
  const lags = partitionLags(tasks)
  yield { metric: M.kafka_consumer_fetch_manager_records_lag, samples: lags }
  yield { metric: M.kafka_consumer_fetch_manager_records_lag_max, samples: largestByClient(lags) }
}

/**
 * Returns the clients of a kind. If users have set the same id for several clients, these clients
 * are returned as one client with the sums of their values.
 */
function clientsOf(tasks: readonly ReportingTask[], kind: ClientSample['kind']): ClientSample[] {
  const byId = new Map<string, ClientSample>()
  for (const client of tasks.flatMap(({ snapshot }) => snapshot.clients)) {
    if (client.kind !== kind) continue
    const other = byId.get(client.clientId)
    byId.set(client.clientId, other ? sumOfClients(client, other) : client)
  }
  return [...byId.values()]
}

function sumOfClients(a: ClientSample, b: ClientSample): ClientSample {
  return {
    ...a,
    incomingBytes: a.incomingBytes + b.incomingBytes,
    outgoingBytes: a.outgoingBytes + b.outgoingBytes,
    connections: a.connections + b.connections,
    connectionsCreated: a.connectionsCreated + b.connectionsCreated,
  }
}

/**
 * Returns the lag of each partition. If clients with the same id report the same partition, the
 * larger lag is used.
 */
function partitionLags(tasks: readonly ReportingTask[]): Sample[] {
  const lags = new Map<string, Sample>()
  for (const { snapshot } of tasks) {
    const consumer = snapshot.clients.find(c => c.kind === 'consumer')
    for (const [topic, p, records] of (consumer && snapshot.lag?.partitions) ?? []) {
      const labels = [consumer!.clientId, topic, String(p)]
      const key = JSON.stringify(labels)
      lags.set(key, [labels, Math.max(records, lags.get(key)?.[1] ?? 0)])
    }
  }
  return [...lags.values()]
}

/** Returns the largest partition lag of each client. */
function largestByClient(lags: readonly Sample[]): Sample[] {
  const largest = new Map<string, number>()
  for (const [[clientId], records] of lags) largest.set(clientId!, Math.max(records, largest.get(clientId!) ?? 0))
  return [...largest].map(([clientId, records]): Sample => [[clientId], records])
}
