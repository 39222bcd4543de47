import type { PluginMetric, PluginMetrics } from '../../../connect/plugin-metrics.ts'
import { errors } from '../errors.ts'
import { redact } from '../failures/redact.ts'
import type { PluginSample } from '../host/messages-out.ts'
import { shownValue } from '../kind-of.ts'

/** The maximum number of metrics of one task. */
const MAX_METRICS = 1000
const MAX_TEXT = 200
/** The prefixes of the metrics that the runtime exports. */
const RESERVED_PREFIX = /^(kafka_|millrace_(connect|connector|task|thread)_|process_|nodejs_)/
const DEFAULT_PREFIX = 'kafka_connect_plugins'

interface Entry {
  readonly sample: Omit<PluginSample, 'value'>
  readonly value: () => number | null
}

/** The metrics that the plugin of a task has added. */
export class PluginMetricsRegistry implements PluginMetrics {
  readonly #entries = new Map<string, Entry>()

  addMetric(metric: PluginMetric, value: () => number | null): void {
    const { key, name, tags } = named(metric)
    const { description, type = 'gauge' } = metric
    if (type !== 'gauge' && type !== 'counter')
      throw errors.create('MR_TASK_METRIC', {
        name: metric.name,
        cause: `its type is ${shownValue(type)}, not gauge or counter`,
      })
    if (typeof value !== 'function')
      throw errors.create('MR_TASK_METRIC', {
        name: metric.name,
        cause: `its value is ${shownValue(value)}, not a function`,
      })
    if (this.#entries.size >= MAX_METRICS && !this.#entries.has(key)) {
      throw errors.create('MR_TASK_METRIC', { name: metric.name, cause: `a task may have ${MAX_METRICS} metrics` })
    }
    const counter = type === 'counter'
    const exported = counter && !name.endsWith('_total') ? `${name}_total` : name
    const help = redact(String(description)).slice(0, MAX_TEXT)
    this.#entries.set(key, { sample: { name: exported, type: counter ? 'counter' : 'gauge', help, tags }, value })
  }

  removeMetric(metric: Pick<PluginMetric, 'name' | 'tags' | 'prefix'>): void {
    this.#entries.delete(named(metric).key)
  }

  /** Returns the current values. A metric whose function throws is omitted. */
  read(): PluginSample[] {
    const samples: PluginSample[] = []
    for (const { sample, value } of this.#entries.values()) {
      try {
        const now = value()
        if (typeof now === 'number' && !(sample.type === 'counter' && !(now >= 0)))
          samples.push({ ...sample, value: now })
      } catch {
        // A metric that cannot be read must not fail the task.
      }
    }
    return samples
  }
}

function named(metric: Pick<PluginMetric, 'name' | 'tags' | 'prefix'>) {
  if (typeof metric?.name !== 'string')
    throw errors.create('MR_TASK_METRIC', { name: shownValue(metric?.name), cause: 'the name is not a string' })
  const { name, tags = {}, prefix = DEFAULT_PREFIX } = metric
  const refuse = (cause: string) => errors.create('MR_TASK_METRIC', { name, cause })
  if (!/^[\w.-]{1,200}$/.test(name)) throw refuse('a name has letters, digits, hyphens, underscores and dots')
  if (!/^[a-z_]\w{0,99}$/i.test(prefix)) throw refuse('a prefix has letters, digits and underscores')
  if (prefix !== DEFAULT_PREFIX && RESERVED_PREFIX.test(`${prefix}_`)) throw refuse(`the prefix ${prefix} is reserved`)
  const pairs = Object.entries(tags).flatMap(([tag, value]): [string, string][] => {
    const label = tag.replace(/\W/g, '_')
    if (!/^[a-z_]\w{0,99}$/i.test(label) || label.startsWith('__')) throw refuse(`${tag} is not a name for a tag`)
    if (label === 'connector' || label === 'task') throw refuse(`the runtime sets the tag ${label} itself`)
    // In Prometheus, a label with an empty value is the same as no label.
    const text = redact(String(value)).slice(0, MAX_TEXT)
    return text === '' ? [] : [[label, text]]
  })
  const labels = pairs.map(([label]) => label)
  const twice = labels.find((label, i) => labels.indexOf(label) < i)
  if (twice !== undefined) throw refuse(`two tags are exported as the label ${twice}`)
  pairs.sort(([a], [b]) => (a < b ? -1 : 1))
  const exported = `${prefix}_${name.replace(/\W/g, '_')}`
  // The key has no `_total`, because a counter and a gauge whose names differ only in this suffix
  // would have the same exported name.
  return { name: exported, tags: pairs, key: JSON.stringify([exported.replace(/_total$/, ''), pairs]) }
}
