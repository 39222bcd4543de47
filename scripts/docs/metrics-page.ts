import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { POSTGRES_METRICS } from '../../connectors/postgres/metrics.ts'
import { BROKER_METRICS } from '../../core/broker/metrics/broker-metrics.ts'
import type { Metric } from '../../core/common/metrics/metric.ts'
import { TASK_METRICS } from '../../core/worker/metrics/task-metrics.ts'
import { WORKER_METRICS } from '../../core/worker/metrics/worker-metrics.ts'
import { cell } from './render.ts'

const HEAD = ['| metric | type | labels | meaning |', '| --- | --- | --- | --- |']

function table(metrics: readonly Metric[]): string {
  const rows = metrics.map(({ name, type, labels, help }) => {
    const shown = labels.map(label => `\`${label}\``).join(', ')
    return `| \`${name}\` | ${type} | ${shown} | ${cell(help)} |`
  })
  return [...HEAD, ...rows, ''].join('\n')
}

/** Returns `docs/metrics.md`: the text of metrics-text.md, and a row for each declared metric. */
export function metricsPage(root: string): [path: string, text: string] {
  const text = readFileSync(join(root, 'scripts/docs/metrics-text.md'), 'utf8')
  const postgres = POSTGRES_METRICS.map(([name, help, labels]): Metric => {
    return { name, help, type: 'gauge', labels: ['connector', 'task', ...labels] }
  })
  const sections = [
    ['Metrics of a worker', Object.values(WORKER_METRICS)],
    ['Metrics of tasks', Object.values(TASK_METRICS)],
    ['Metrics of the Postgres source', postgres],
    ['Metrics of a broker', Object.values(BROKER_METRICS)],
  ] as const
  const tables = sections.map(([title, metrics]) => `## ${title}\n\n${table(metrics)}`)
  return ['docs/metrics.md', [text.trimEnd(), '', ...tables].join('\n')]
}
