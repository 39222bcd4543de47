import { expect, test } from 'vitest'
import type { PluginSample, TaskSnapshot } from '../task/host/messages-out.ts'
import { pluginFamilies } from './plugin-families.ts'

const task = (connector: string, ...plugin: PluginSample[]) => {
  const snapshot: TaskSnapshot = { values: {}, stages: [], clients: [], lag: null, activeSince: null, plugin }
  return { connector, task: '0', snapshot }
}
const sample = (name: string, type: 'gauge' | 'counter'): PluginSample => ({ name, type, help: '', tags: [], value: 1 })

test('a counter x_total is untyped if a gauge x exists, because OpenMetrics would name both families x', () => {
  const families = [...pluginFamilies([task('a', sample('x', 'gauge')), task('b', sample('x_total', 'counter'))])]
  expect(families.map(f => [f.metric.name, f.metric.type])).toEqual([
    ['x', 'gauge'],
    ['x_total', 'untyped'],
  ])
  const alone = [...pluginFamilies([task('b', sample('x_total', 'counter'))])]
  expect(alone[0]!.metric.type).toBe('counter')
})
