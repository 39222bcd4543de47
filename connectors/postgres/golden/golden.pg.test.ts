import { readFileSync } from 'node:fs'
import type { CompleteSourceRecord, Header } from 'millrace/connect'
import { configured } from 'millrace/testing'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { JsonConverter } from '../../../converters/json/json-converter.ts'
import { type PostgresServer, startPostgres } from '../../../test/services/postgres.ts'
import { propsFor, TaskHarness } from '../test-support/harness.ts'
import { type CapturedRecord, decodeFixture, parseExact } from './captured.ts'
import { comparable, isReadTwice } from './comparable.ts'
import { SCENARIOS } from './scenarios.ts'

const server: PostgresServer | null = await startPostgres()
afterAll(() => server?.stop())

const converter = new JsonConverter()
const keyConverter = new JsonConverter()
beforeAll(() => {
  configured(converter, {})
  configured(keyConverter, {}, { isKey: true })
})

function captured(records: readonly CompleteSourceRecord[]): CapturedRecord[] {
  const json = (c: JsonConverter, topic: string, schema: CompleteSourceRecord['keySchema'], value: unknown) => {
    const bytes = c.fromConnectData(topic, schema, value, [])
    return bytes === null ? null : parseExact(bytes.toString())
  }
  return records.map((r, offset) => ({
    topic: r.topic,
    offset,
    key: json(keyConverter, r.topic, r.keySchema, r.key),
    value: json(converter, r.topic, r.valueSchema, r.value),
    headers: r.headers.map((h: Header) => [h.key, json(converter, r.topic, h.schema, h.value)] as const),
  }))
}

describe.skipIf(server === null)('golden scenarios', () => {
  test.each(SCENARIOS.map(s => [s.name, s] as const))('scenario %s equals Debezium 3.7', async (name, scenario) => {
    const fixture = decodeFixture(readFileSync(new URL(`./${name}.json`, import.meta.url), 'utf8'))
    const url = await server!.createDatabase()
    const db = new pg.Client(url)
    await db.connect()
    for (const sql of scenario.setup) await db.query(sql)
    const task = await new TaskHarness(propsFor(url, scenario.config)).start()
    try {
      const beats = (topic: string) => topic.startsWith('__debezium-heartbeat')
      const expected = fixture.records.filter(r => !beats(r.topic) && !isReadTwice(name, r))
      const isRead = (r: CapturedRecord) => (r.value as { payload?: { op?: string } } | null)?.payload?.op === 'r'
      const rows = expected.filter(isRead).length
      const events = (records: readonly CompleteSourceRecord[]) => records.filter(r => !beats(r.topic))
      if (scenario.config['snapshot.mode'] === 'no_data')
        await task.until(() => task.log.text().includes('streaming from'))
      await task.until(r => events(r).length >= rows)
      for (const sql of scenario.stream) {
        const before = task.records.length
        await db.query(sql)
        // the schema of an event contains the keys and defaults that the catalog has when the event
        // is read, so changes run one at a time
        if (name === 'schema-change' || (name.startsWith('partitions') && !/^(alter|create)/.test(sql)))
          await task.until(r => r.length > before)
      }
      await task.until(r => events(r).length >= expected.length)
      if (fixture.records.some(r => beats(r.topic))) await task.until(r => r.some(x => beats(x.topic)))
    } finally {
      await task.stop()
      await db.end()
    }
    const database = new URL(url).pathname.slice(1)
    const ours = comparable(name, captured(task.records), database)
    const theirs = comparable(name, fixture.records, 'db')
    expect(ours).toEqual(theirs)
  })
})
