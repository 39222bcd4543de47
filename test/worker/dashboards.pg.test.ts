/**
 * Tests that the dashboards in docs/dashboards query only metrics that a broker or a worker
 * exports.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { scrape } from '../../core/common/metrics/test-support/parse-metrics.ts'
import { connectionSettings } from '../services/connection-settings.ts'
import { type PostgresServer, startPostgres } from '../services/postgres.ts'
import { eventually, Rig } from './harness.ts'

interface Target {
  readonly expr: string
}
interface Panel {
  readonly id: number
  readonly title: string
  readonly type: string
  readonly targets?: readonly Target[]
}
interface Dashboard {
  readonly uid: string
  readonly title: string
  readonly schemaVersion: number
  readonly panels: readonly Panel[]
  readonly templating: { readonly list: readonly { readonly name: string; readonly definition?: string }[] }
}

const folder = join(import.meta.dirname, '../../docs/dashboards')
const files = readdirSync(folder).filter(file => file.endsWith('.json'))
const read = (file: string) => JSON.parse(readFileSync(join(folder, file), 'utf8')) as Dashboard

/**
 * Returns the names of the metrics in a query: names before a selector or a range, and names with
 * our prefixes.
 */
function metricsOf(query: string): string[] {
  const text = query.replace(/"(?:[^"\\]|\\.)*"/g, '""')
  const selected = text.matchAll(/([a-zA-Z_:][\w:]*)\s*[{[]/g)
  const ours = text.matchAll(/\b((?:kafka|millrace|debezium|process|nodejs)_\w+)/g)
  return [...new Set([...selected, ...ours].map(match => match[1]!))]
}

const server: PostgresServer | null = await startPostgres({ own: true })
const rig = new Rig()
const exported = new Set<string>()

describe.skipIf(server === null)('the dashboards', () => {
  beforeAll(async () => {
    await rig.startBroker(0, { 'metrics.listeners': 'http://127.0.0.1:0' })
    await rig.startWorker()
    const url = new URL(await server!.createDatabase())
    const db = new pg.Client(url.href)
    await db.connect()
    await db.query('create table a (id int primary key); insert into a values (1)')
    await db.end()
    const file = join(rig.dir, 'in.txt')
    writeFileSync(file, 'one\n')
    await rig.create('src', { 'connector.class': 'FileStreamSource', file, topic: 'lines' })
    const out = join(rig.dir, 'out.txt')
    await rig.create('snk', { 'connector.class': 'FileStreamSink', file: out, topics: 'lines' })
    await rig.create('pg', {
      'connector.class': 'PostgresConnector',
      ...connectionSettings(url),
      'plugin.name': 'pgoutput',
      'topic.prefix': 'shop',
    })
    const wanted = [
      'millrace_postgres_slot_lag_bytes',
      'debezium_metrics_RowsScanned',
      'millrace_connector_lag_records',
      'millrace_thread_heap_used_bytes',
    ]
    await eventually(async () => {
      const worker = await scrape(`${rig.worker!.restUrl}/metrics`)
      for (const name of worker.families.keys()) exported.add(name)
      return wanted.filter(name => !exported.has(name))
    }, [])
    for (const name of (await scrape(rig.broker!.metricsUrls[0]!)).families.keys()) exported.add(name)
  }, 120_000)
  afterAll(async () => {
    await rig.close()
    await server?.stop()
  })

  test('brokers, workers and Postgres each have a dashboard, with its own uid', () => {
    expect(files).toEqual(['broker.json', 'connect.json', 'postgres.json'])
    expect(new Set(files.map(file => read(file).uid)).size).toBe(files.length)
  })

  test.each(files)('%s is a dashboard whose panels have queries and unique ids', file => {
    const dashboard = read(file)
    expect(dashboard.schemaVersion).toBeGreaterThan(30)
    expect(new Set(dashboard.panels.map(p => p.id)).size).toBe(dashboard.panels.length)
    for (const panel of dashboard.panels) {
      if (panel.type !== 'row') expect(panel.targets?.length, panel.title).toBeGreaterThan(0)
    }
  })

  test.each(files)('%s queries only metrics that are exported', file => {
    const { panels, templating } = read(file)
    const queries = panels.flatMap(p => (p.targets ?? []).map(t => t.expr))
    const variables = templating.list.flatMap(v => v.definition ?? [])
    for (const query of [...queries, ...variables]) {
      const metrics = metricsOf(query)
      expect(metrics.length, query).toBeGreaterThan(0)
      expect(
        metrics.filter(name => !exported.has(name)),
        query,
      ).toEqual([])
    }
  })
})
