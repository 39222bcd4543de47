import { readFileSync } from 'node:fs'
import { configured, OffsetStorage } from 'millrace/testing'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { JsonConverter } from '../../../../converters/json/json-converter.ts'
import { type PostgresServer, startPostgres } from '../../../../test/services/postgres.ts'
import { propsFor, TaskHarness } from '../../test-support/harness.ts'
import { cellsOf, faults } from './compare.ts'
import { MODES } from './modes.ts'
import { type Observed, observe } from './observed.ts'
import { decodeExtremes, type ExtremesFixture } from './stored.ts'
import { expectedEvents, setupStatements, streamStatements } from './tables.ts'

const server: PostgresServer | null = await startPostgres()
afterAll(() => server?.stop())

const converter = new JsonConverter()
beforeAll(() => configured(converter, {}))

function observed(task: TaskHarness): Observed {
  const out: Observed = {}
  for (const r of task.records) {
    if (r.value === null) continue
    observe(out, converter.fromConnectData(r.topic, r.valueSchema, r.value, [])!.toString())
  }
  return out
}

describe.skipIf(server === null)('every type at its extremes', () => {
  test('the values equal those of Debezium 3.7 in every mode, except for the published differences', async () => {
    const fixture = JSON.parse(readFileSync(new URL('./expected.json', import.meta.url), 'utf8')) as ExtremesFixture
    const url = await server!.createDatabase()
    const db = new pg.Client(url)
    await db.connect()
    for (const sql of setupStatements()) await db.query(sql)
    await db.query('create publication extremes for all tables')
    const { snapshot, all } = expectedEvents()
    const tasks = await Promise.all(
      Object.entries(MODES).map(async ([mode, config]) => {
        const props = { 'publication.name': 'extremes', 'tombstones.on.delete': 'false', ...config }
        const slot = { 'slot.name': `extremes_${mode.replace('-', '_')}` }
        return [mode, await new TaskHarness(propsFor(url, { ...props, ...slot }), new OffsetStorage()).start()] as const
      }),
    )
    const found: string[] = []
    try {
      for (const [, task] of tasks) await task.count(snapshot)
      for (const sql of streamStatements()) await db.query(sql)
      const cells = []
      for (const [mode, task] of tasks) {
        await task.count(all)
        cells.push(...cellsOf(mode, decodeExtremes(fixture, mode), observed(task)))
      }
      expect(cells.length).toBeGreaterThan(40_000)
      found.push(...faults(cells))
    } finally {
      for (const [, task] of tasks) await task.stop()
      await db.end()
    }
    expect(found.slice(0, 50)).toEqual([])
  })
})
