import type { Family, Metric, Sample } from '../../common/metrics/metric.ts'
import type { PluginSample } from '../task/host/messages-out.ts'
import type { ReportingTask } from './collector.ts'

/**
 * Yields the metrics that plugins define, one family per name. A metric is untyped if plugins use
 * its name with different types. A counter `x_total` is also untyped if a gauge `x` exists, because
 * OpenMetrics would name both families `x`. If plugins use different tags for a metric, the missing
 * tags of a series are empty.
 */
export function* pluginFamilies(tasks: readonly ReportingTask[]): Generator<Family> {
  const byName = new Map<string, { owner: ReportingTask; sample: PluginSample }[]>()
  for (const owner of tasks) {
    for (const sample of owner.snapshot.plugin) {
      const found = byName.get(sample.name)
      if (found) found.push({ owner, sample })
      else byName.set(sample.name, [{ owner, sample }])
    }
  }
  for (const [name, found] of byName) {
    const { type, help } = found[0]!.sample
    const tags = [...new Set(found.flatMap(({ sample }) => sample.tags.map(([tag]) => tag)))]
    const isSame = found.every(({ sample }) => sample.type === type)
    const isClear = isSame && !(type === 'counter' && byName.has(name.replace(/_total$/, '')))
    const metric: Metric = { name, type: isClear ? type : 'untyped', help, labels: ['connector', 'task', ...tags] }
    const samples = found.map(({ owner, sample }): Sample => {
      const own = new Map(sample.tags)
      return [[owner.connector, owner.task, ...tags.map(tag => own.get(tag) ?? '')], sample.value]
    })
    yield { metric, samples }
  }
}
