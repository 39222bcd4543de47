import type { MetricObjectWithValues, MetricValueWithName, Registry } from 'prom-client'
import type { Family, MetricType, Sample } from './metric.ts'

let registry: Promise<Registry> | null = null

/**
 * Returns the registry of this process's metrics. The first call starts the measurement of event
 * loop delay and garbage collections, and loads prom-client: its 80 modules would make the start of
 * each process slower, although many processes are never scraped.
 */
function observeProcess(): Promise<Registry> {
  registry ??= import('prom-client').then(({ collectDefaultMetrics, Registry }) => {
    const created = new Registry()
    collectDefaultMetrics({ register: created })
    return created
  })
  return registry
}

/** The last complete measurement of the event loop delay. */
let delays: Family[] = []

/**
 * Returns the metrics of this process: CPU, memory, event loop delay, garbage collections, files
 * and handles.
 */
export async function processFamilies(): Promise<Family[]> {
  const metrics = await (await observeProcess()).getMetricsAsJSON()
  const families = metrics.map(familyOf)
  const measured = families.filter(isDelay)
  // Each scrape starts a new measurement. If the next scrape follows immediately, the measurement
  // has no values: it reports NaN or 2^63 ns.
  if (measured.every(({ samples }) => [...samples].every(([, value]) => Number.isFinite(value)))) delays = measured
  return [...families.filter(f => !isDelay(f)), ...delays]
}

const isDelay = ({ metric }: Family): boolean => /^nodejs_eventloop_lag_\w+_seconds$/.test(metric.name)

function familyOf(from: MetricObjectWithValues<MetricValueWithName<string>>): Family {
  const { name, help, values } = from
  const labels = [...new Set(values.flatMap(v => Object.keys(v.labels)))]
  const samples = values.map((v): Sample => {
    const texts = labels.map(label => String(v.labels[label] ?? ''))
    return [texts, v.value, (v.metricName ?? name).slice(name.length)]
  })
  // `from.type` is declared as an enumeration, but its value is a string.
  return { metric: { name, help, labels, type: String(from.type) as MetricType }, samples }
}
