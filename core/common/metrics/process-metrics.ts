import { collectDefaultMetrics, type MetricObjectWithValues, type MetricValueWithName, Registry } from 'prom-client'
import type { Family, MetricType, Sample } from './metric.ts'

let registry: Registry | null = null

/**
 * Returns the registry of this process's metrics. The first call starts the measurement of event
 * loop delay and garbage collections.
 */
export function observeProcess(): Registry {
  if (registry) return registry
  registry = new Registry()
  collectDefaultMetrics({ register: registry })
  return registry
}

/** The last complete measurement of the event loop delay. */
let delays: Family[] = []

/**
 * Returns the metrics of this process: CPU, memory, event loop delay, garbage collections, files
 * and handles.
 */
export async function processFamilies(): Promise<Family[]> {
  const metrics = await observeProcess().getMetricsAsJSON()
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
