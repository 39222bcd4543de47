import type { PluginSample, TaskSnapshot } from '../task/host/messages-out.ts'
import { SINK_STAGES, SOURCE_STAGES, TASK_METRICS } from './task-metrics.ts'
import { WORKER_METRICS } from './worker-metrics.ts'

const STAGES = new Set<unknown>([...SOURCE_STAGES, ...SINK_STAGES])
const METRIC_NAME = /^[a-zA-Z_][a-zA-Z0-9_]{0,300}$/
const LABEL_NAME = /^(?!__|connector$|task$)[a-zA-Z_][a-zA-Z0-9_]{0,100}$/
const OWN = new Set<string>([...Object.keys(TASK_METRICS), ...Object.keys(WORKER_METRICS)])
const OWN_PREFIX = /^(process_|nodejs_)/

/**
 * Throws a TypeError unless a message is a snapshot that can be exported. A plugin can send
 * arbitrary messages from its thread, and a forged snapshot must not break the metrics of other
 * plugins.
 */
export function checkSnapshot(snapshot: TaskSnapshot): void {
  must(Object.values(snapshot.values).every(isNumber), 'values')
  must(
    snapshot.stages.every(([stage, seconds]) => STAGES.has(stage) && isNumber(seconds)),
    'stages',
  )
  must(new Set(snapshot.stages.map(([stage]) => stage)).size === snapshot.stages.length, 'stages')
  must(snapshot.activeSince === null || isNumber(snapshot.activeSince), 'activeSince')
  const { lag } = snapshot
  if (lag !== null) {
    must([lag.bytes, lag.records, lag.since].every(n => n === null || isNumber(n)) && isNumber(lag.measuredAt), 'lag')
    must(
      lag.partitions.every(([topic, p, n]) => typeof topic === 'string' && isNumber(p) && isNumber(n)),
      'lag',
    )
  }
  for (const { kind, clientId, ...numbers } of snapshot.clients) {
    must((kind === 'producer' || kind === 'consumer') && typeof clientId === 'string', 'clients')
    must(Object.values(numbers).every(isNumber), 'clients')
  }
  const seen = new Set<string>()
  for (const sample of snapshot.plugin) {
    must(isExportable(sample), 'plugin')
    const series = JSON.stringify([sample.name, [...sample.tags].sort()])
    must(!seen.has(series), 'plugin')
    seen.add(series)
  }
}

function isExportable({ name, type, help, tags, value }: PluginSample): boolean {
  const isNew = METRIC_NAME.test(name) && !OWN.has(name) && !OWN_PREFIX.test(name)
  const names = tags.map(([tag]) => tag)
  return (
    isNew &&
    (type === 'gauge' || type === 'counter') &&
    typeof help === 'string' &&
    isNumber(value) &&
    (type === 'gauge' || (value >= 0 && name.endsWith('_total'))) &&
    new Set(names).size === names.length &&
    tags.every(([tag, text]) => LABEL_NAME.test(tag) && typeof text === 'string')
  )
}

const isNumber = (value: unknown): boolean => typeof value === 'number'

function must(isRight: boolean, what: string): void {
  if (!isRight) throw new TypeError(`the ${what} of a task's metrics cannot be exported`)
}
