import type { PluginMetrics, SourceLag } from 'millrace/connect'
import type { Lsn } from './lsn.ts'
import type { SnapshotView } from './session/progress.ts'
import type { SessionView } from './session/session.ts'

/**
 * The largest number of tables whose rows are counted separately. More tables would make too many
 * time series.
 */
const MAX_TABLES = 200

const DEBEZIUM = 'debezium_metrics'
const OWN = 'millrace_postgres'

type Value = (view: SessionView) => number | null

/**
 * The streaming metrics. Their names are those of Debezium's MBeans in Debezium's monitoring
 * example.
 */
const STREAMING: readonly (readonly [name: string, description: string, value: Value])[] = [
  ['Connected', '1 while the connector is connected to the database.', v => Number(v.connected)],
  [
    'MilliSecondsBehindSource',
    'The time between the commit of the last event and the moment when it was read, in milliseconds; -1 before the first event.',
    v => (v.progress.lastEventAt === 0 ? -1 : Math.max(0, v.progress.lastEventAt - v.progress.lastCommitAt)),
  ],
  [
    'MilliSecondsSinceLastEvent',
    'How long ago the last event was read, in milliseconds; -1 before the first event.',
    v => (v.progress.lastEventAt === 0 ? -1 : Date.now() - v.progress.lastEventAt),
  ],
  [
    'TotalNumberOfEventsSeen',
    'Changes of rows that the connector has streamed since its start.',
    ({ progress: { events } }) => events.c + events.u + events.d + events.t,
  ],
  ['TotalNumberOfCreateEventsSeen', 'Inserts that were streamed.', v => v.progress.events.c],
  ['TotalNumberOfUpdateEventsSeen', 'Updates that were streamed.', v => v.progress.events.u],
  ['TotalNumberOfDeleteEventsSeen', 'Deletes that were streamed.', v => v.progress.events.d],
  ['NumberOfCommittedTransactions', 'Transactions that were streamed.', v => v.progress.transactions],
]

const ofSnapshot = (value: (s: SnapshotView) => number): Value => {
  return ({ progress: { snapshot } }) => (snapshot === null ? 0 : value(snapshot))
}
const SNAPSHOT: typeof STREAMING = [
  ['SnapshotRunning', '1 while a snapshot runs.', ofSnapshot(s => Number(s.running))],
  [
    'SnapshotCompleted',
    '1 if a snapshot has completed since the start of the task.',
    ofSnapshot(s => Number(s.completed)),
  ],
  ['TotalTableCount', 'Tables that the snapshot reads.', ofSnapshot(s => s.tables)],
  ['RemainingTableCount', 'Tables that the snapshot has not read yet.', ofSnapshot(s => s.remaining)],
  [
    'SnapshotDurationInSeconds',
    'How long the snapshot has been running, or how long it took, in seconds.',
    ofSnapshot(s => s.seconds),
  ],
]

const WAL: typeof STREAMING = [
  [
    'slot_lag_bytes',
    "WAL between the replication slot's confirmed position and the end of the server's WAL, in bytes.",
    ({ wal }) => (wal?.confirmed == null ? null : bytesBetween(wal.confirmed, wal.end)),
  ],
  [
    'wal_lag_bytes',
    "WAL that the connector has not read yet, in bytes: from its position to the end of the server's WAL.",
    ({ wal, reached }) => (wal === null || reached === null ? null : bytesBetween(reached, wal.end)),
  ],
  [
    'slot_retained_bytes',
    'WAL that the server keeps for the replication slot, in bytes.',
    ({ wal }) => (wal?.restart == null ? null : bytesBetween(wal.restart, wal.end)),
  ],
]

const TAGS = ['plugin', 'name', 'context']
const ROWS_SCANNED = 'Rows that the snapshot has read, for at most 200 tables.'

/** All metrics with their labels, for the documentation. */
export const POSTGRES_METRICS: readonly (readonly [name: string, description: string, labels: readonly string[]])[] = [
  ...[...STREAMING, ...SNAPSHOT].map(([name, text]) => [`${DEBEZIUM}_${name}`, text, TAGS] as const),
  [`${DEBEZIUM}_RowsScanned`, ROWS_SCANNED, [...TAGS, 'table']],
  ...WAL.map(([name, text]) => [`${OWN}_${name}`, text, ['name']] as const),
]

/**
 * Adds the metrics of a connector. `server` is the connector's `topic.prefix`. `view` returns null
 * while the task has no session.
 */
export function addMetrics(metrics: PluginMetrics, server: string, view: () => SessionView | null): void {
  const read = (value: Value) => () => {
    const now = view()
    return now === null ? null : value(now)
  }
  for (const [context, rows] of [
    ['streaming', STREAMING],
    ['snapshot', SNAPSHOT],
  ] as const) {
    const tags = { plugin: 'postgres', name: server, context }
    for (const [name, description, value] of rows) {
      metrics.addMetric({ name, description, tags, prefix: DEBEZIUM }, read(value))
    }
  }
  for (const [name, description, value] of WAL) {
    metrics.addMetric({ name, description, tags: { name: server }, prefix: OWN }, read(value))
  }
}

/**
 * Adds the row counts of the tables if a snapshot has begun. Returns whether a snapshot has begun.
 */
export function addTableMetrics(metrics: PluginMetrics, server: string, view: () => SessionView | null): boolean {
  const tables = view()?.progress.snapshot?.rows
  if (tables === undefined) return false
  for (const [table] of tables.slice(0, MAX_TABLES)) {
    const tags = { plugin: 'postgres', name: server, context: 'snapshot', table }
    const metric = { name: 'RowsScanned', description: ROWS_SCANNED, tags, prefix: DEBEZIUM }
    metrics.addMetric(metric, () => view()?.progress.snapshot?.rows.find(([name]) => name === table)?.[1] ?? null)
  }
  return true
}

/**
 * The age from which the positions of the server are outdated, in milliseconds. They are read every
 * five seconds.
 */
const OUTDATED_MS = 20_000

/**
 * Measures the connector's lag. `bytes` counts from the confirmed position to the end of the WAL.
 * `since` is null if the connector has read up to the end of the WAL. Otherwise `since` is the time
 * of the last commit that was read, or the last time when everything had been read, whichever is
 * later. If the end of the WAL was read too long ago, there may be newer WAL, so `since` is not
 * null.
 */
export class LagMeter {
  #caughtUpAt = 0

  read(view: SessionView): SourceLag | null {
    const { wal, reached, confirmed, progress, phase } = view
    if (phase === 'finished') return { bytes: 0, since: null }
    if (wal === null) return null
    const bytes = bytesBetween(confirmed > 0 ? confirmed : (wal.confirmed ?? wal.end), wal.end)
    if (phase === 'streaming' && reached !== null && reached >= wal.end) {
      this.#caughtUpAt = wal.readAt
      if (Date.now() - wal.readAt < OUTDATED_MS) return { bytes, since: null }
    }
    return { bytes, since: Math.max(progress.lastCommitAt, this.#caughtUpAt) || progress.startedAt }
  }
}

const bytesBetween = (from: Lsn, to: Lsn): number => Math.max(0, Number(BigInt(to) - BigInt(from)))
