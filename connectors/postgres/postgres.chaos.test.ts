import type { SourceRecord, Struct } from 'millrace/connect'
import { OffsetStorage } from 'millrace/testing'
import pg from 'pg'
import { afterAll, describe, expect, test } from 'vitest'
import { sleep } from '../../core/common/async/sleep.ts'
import { random as randomOf } from '../../test/random.ts'
import { type PostgresServer, startPostgres } from '../../test/services/postgres.ts'
import { propsFor, TaskHarness } from './test-support/harness.ts'
import { Workload } from './test-support/workload.ts'

const server: PostgresServer | null = await startPostgres({ own: true })
afterAll(() => server?.stop())

const SEED = Number(process.env['MILLRACE_SEED'] ?? Date.now() % 1_000_000)

/** The part of a record that is needed to rebuild the table. */
interface Entry {
  readonly topic: string
  readonly key: string
  readonly row: Struct | null
  readonly version: number | null
}

function entryOf(r: SourceRecord): Entry {
  const value = r.value as { after: Struct | null } | null
  const row = value === null ? null : value.after
  return { topic: r.topic, key: JSON.stringify(r.key), row, version: row === null ? null : (row['v'] as number) }
}

/** Returns the last row of each key, as in a compacted topic. */
function lastState(log: readonly Entry[]): Map<string, Struct> {
  const state = new Map<string, Struct>()
  for (const e of log) {
    if (e.row === null) state.delete(`${e.topic} ${e.key}`)
    else state.set(`${e.topic} ${e.key}`, e.row)
  }
  return state
}

/** Checks that in one run of a task no older version of a row follows a newer one. */
function expectInOrder(run: readonly Entry[], where: string): void {
  const seen = new Map<string, number>()
  for (const e of run) {
    const id = `${e.topic} ${e.key}`
    if (e.version === null) continue
    const last = seen.get(id) ?? 0
    if (e.version < last) throw new Error(`${where}: ${id} went from version ${last} back to ${e.version}`)
    seen.set(id, e.version)
  }
}

async function tableState(db: pg.Client): Promise<Map<string, Struct>> {
  const state = new Map<string, Struct>()
  for (const [table, key] of [
    ['accounts', ['id']],
    ['items', ['order_id', 'line']],
  ] as const) {
    const { rows } = await db.query(`select * from ${table}`)
    for (const row of rows) {
      const id = Object.fromEntries(key.map(k => [k, row[k]]))
      state.set(`t.public.${table} ${JSON.stringify(id)}`, row)
    }
  }
  return state
}

/** Returns the differences between the topic and the table, one per line. */
function differences(log: Map<string, Struct>, table: Map<string, Struct>): string[] {
  const out: string[] = []
  const show = (row: Struct | undefined) =>
    row === undefined ? 'nothing' : JSON.stringify(row, Object.keys(row).sort())
  for (const id of new Set([...log.keys(), ...table.keys()])) {
    const [ours, theirs] = [show(log.get(id)), show(table.get(id))]
    if (ours !== theirs) out.push(`${id}: the log ends with ${ours}, the table has ${theirs}`)
  }
  return out
}

describe.skipIf(server === null)('a task that is killed repeatedly', () => {
  test.each([1, 2, 3])(
    `a killed task emits every change, so that the topic contains the last state of each row (round %i, seed ${SEED})`,
    async round => {
      const { next: random, below: int } = randomOf(SEED + round)
      const url = await server!.createDatabase()
      const db = new pg.Client(url)
      await db.connect()
      const workload = new Workload(url, random)
      await workload.setup(db, 3000)
      const props = propsFor(url, {
        'max.batch.size': String(20 + int(200)),
        'max.queue.size.in.bytes': String(4096 + int(100_000)),
        'status.update.interval.ms': '100',
        'retriable.restart.connector.wait.ms': '200',
      })
      const offsets = new OffsetStorage()
      const log: Entry[] = []
      const kills = 12
      try {
        for (let kill = 0; kill <= kills; kill++) {
          // a fixed number of transactions, so that the backlog does not depend on the speed of the
          // machine
          const writing = kill === kills ? null : workload.run(20 + int(150))
          const last = kill === kills
          // the runtime stops polling at a number of unacknowledged records that the last run can
          // exceed, so the last run acknowledges all records
          const task = await new TaskHarness(props, offsets, { acknowledges: last }).start()
          let kept = Number.POSITIVE_INFINITY
          try {
            if (last) {
              const stored = offsets.offset({ server: 't' })
              if (stored === null || stored['snapshot_completed'] === false) await task.snapshot()
              await db.query(`insert into accounts (id, name, v) values (-1, 'end', ${workload.nextVersion()})`)
              await task.until(r => r.some(x => (x.key as Struct | null)?.['id'] === -1 && x.value !== null))
            } else {
              const goal = int(kill < 6 ? 2500 : 6000)
              let committed = 0
              const end = sleep(200 + int(1500)).then(() => 'end' as const)
              while (task.records.length < goal) {
                const had = task.records.length
                if ((await Promise.race([task.until(r => r.length > had), end])) === 'end') break
                // acknowledges some of the emitted records, so that their offsets are committed
                if (random() < 0.4 && task.records.length > 0) {
                  committed += int(task.records.length - committed + 1)
                  await task.commit(committed)
                }
                if (random() < 0.05)
                  await server!.admin.query(
                    `select pg_terminate_backend(pid) from pg_stat_activity where application_name like 'millrace%' and random() < 0.5`,
                  )
              }
              // an unacknowledged record may or may not be in the topic
              kept = committed + int(task.records.length - committed + 1)
            }
          } finally {
            await task.stop()
          }
          await writing
          const run = task.records.slice(0, kept).map(entryOf)
          expectInOrder(run, `run ${kill}`)
          log.push(...run)
        }
        expect(differences(lastState(log), await tableState(db))).toEqual([])
        await db.query(
          'select pg_drop_replication_slot(slot_name) from pg_replication_slots where slot_name = $1 and not active',
          [props['slot.name']],
        )
      } finally {
        await db.end()
      }
    },
    300_000,
  )
})
