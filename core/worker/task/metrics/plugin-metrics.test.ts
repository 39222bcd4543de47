import { expect, test } from 'vitest'
import type { PluginMetric } from '../../../connect/plugin-metrics.ts'
import { PluginMetricsRegistry } from './plugin-metrics.ts'

test('the function of a metric is called at each read until the metric is removed', () => {
  const metrics = new PluginMetricsRegistry()
  let rows: number | null = 3
  const metric: PluginMetric = {
    name: 'rows-read',
    description: 'Rows.',
    tags: { table: 'a.b', Kind: 'x' },
    type: 'counter',
  }
  metrics.addMetric(metric, () => rows)
  const sample = { name: 'kafka_connect_plugins_rows_read_total', type: 'counter', help: 'Rows.' }
  expect(metrics.read()).toEqual([
    {
      ...sample,
      tags: [
        ['Kind', 'x'],
        ['table', 'a.b'],
      ],
      value: 3,
    },
  ])
  rows = null
  expect(metrics.read()).toEqual([])
  rows = 4
  metrics.removeMetric({ name: 'rows-read', tags: { Kind: 'x', table: 'a.b' } })
  expect(metrics.read()).toEqual([])
})

test('a metric whose function throws is omitted, and the other metrics are exported', () => {
  const metrics = new PluginMetricsRegistry()
  metrics.addMetric({ name: 'bad', description: '' }, () => {
    throw new Error('no')
  })
  metrics.addMetric({ name: 'good', description: '' }, () => 1)
  expect(metrics.read().map(s => s.name)).toEqual(['kafka_connect_plugins_good'])
})

test('a metric replaces another metric that would have the same exported name', () => {
  const metrics = new PluginMetricsRegistry()
  metrics.addMetric({ name: 'x', description: '', type: 'counter' }, () => 1)
  metrics.addMetric({ name: 'x_total', description: '' }, () => 2)
  expect(metrics.read()).toHaveLength(1)
})

test.each([
  [{ name: 'a b' }, 'a name has letters'],
  [{ name: '' }, 'a name has letters'],
  [{ name: 'x', prefix: 'kafka_server' }, 'reserved'],
  [{ name: 'x', prefix: 'millrace_task' }, 'reserved'],
  [{ name: 'x', prefix: '1x' }, 'a prefix has'],
  [{ name: 'x', tags: { task: '1' } }, 'sets the tag task'],
  [{ name: 'x', tags: { '1a': '' } }, 'not a name for a tag'],
  [{ name: 'x', tags: { __name__: 'y' } }, 'not a name for a tag'],
  [{ name: 'x', tags: { 'a-b': '1', 'a.b': '2' } }, 'two tags are exported as the label a_b'],
])('the invalid metric %j is rejected', (metric, cause) => {
  const add = () => new PluginMetricsRegistry().addMetric({ description: '', ...metric }, () => 1)
  expect(add).toThrow(expect.objectContaining({ code: 'MR_TASK_METRIC', message: expect.stringContaining(cause) }))
})

test('a tag with an empty value is treated as absent, so no series is exported twice', () => {
  const metrics = new PluginMetricsRegistry()
  metrics.addMetric({ name: 'x', description: '', tags: { table: '' } }, () => 1)
  metrics.addMetric({ name: 'x', description: '' }, () => 2)
  expect(metrics.read()).toEqual([expect.objectContaining({ tags: [], value: 2 })])
})

test('a task cannot add more than 1000 metrics, but can replace existing ones', () => {
  const metrics = new PluginMetricsRegistry()
  for (let i = 0; i < 1000; i++) metrics.addMetric({ name: 'x', description: '', tags: { i: String(i) } }, () => i)
  metrics.addMetric({ name: 'x', description: '', tags: { i: '7' } }, () => 8)
  expect(() => metrics.addMetric({ name: 'y', description: '' }, () => 1)).toThrow('1000')
})
