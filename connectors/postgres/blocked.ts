import { type Logger, sleep } from 'millrace/connect'
import { Catalog } from './catalog/catalog.ts'
import type { PostgresOptions } from './options.ts'

/**
 * The time after which the connector first checks what blocks a slow statement, in milliseconds.
 */
const FIRST_CHECK_MS = 1000
/** The interval between the later checks, in milliseconds. */
const CHECK_MS = 5000

export interface BlockedContext {
  readonly options: PostgresOptions
  readonly logger: Logger
  readonly signal: AbortSignal
  /** Shows in the task's status what the task is waiting for. */
  readonly waits: (message: string, retryAt: number) => void
}

/**
 * Identifies the server process that does the work: by its pid, or by the name of the slot that it
 * creates.
 */
export type Worker = { readonly pid: number } | { readonly slot: string }

const BLOCKERS = `
  select w.pid::text as waiting, b.pid::text as pid, a.usename::text as role, a.datname::text as database,
         a.application_name as application, a.state, a.xact_start::text as since, pg_catalog.pg_is_in_recovery()::text as recovery
    from (select coalesce($1::int, (select active_pid from pg_catalog.pg_replication_slots where slot_name = $2)) as pid) w
    left join lateral unnest(pg_catalog.pg_blocking_pids(w.pid)) b(pid) on true
    left join pg_catalog.pg_stat_activity a on a.pid = b.pid`

type Row = Record<string, string | null>

function blocker(row: Row): string {
  if (row['pid'] === '0') return 'a prepared transaction (pg_prepared_xacts)'
  const known = [
    row['role'] && `user ${row['role']}`,
    row['database'] && `database ${row['database']}`,
    row['application'] && `application ${row['application']}`,
    row['state'],
    row['since'] && `since ${row['since']}`,
  ].filter(Boolean)
  return `pid ${row['pid']} (${known.join(', ')})`
}

/** Returns what blocks a server process, as text for the status; null if nothing blocks it. */
export async function blockersOf(catalog: Catalog, worker: Worker): Promise<string | null> {
  const values = 'pid' in worker ? [worker.pid, null] : [null, worker.slot]
  const rows = await catalog.rows(BLOCKERS, values)
  const found = rows.filter(r => r['pid'] !== null)
  if (found.length > 0) return `it is waiting for the open transactions of ${found.map(blocker).join('; ')}`
  // on a standby, the creation of a slot waits for a WAL record, which an idle primary does not
  // write
  if ('slot' in worker && rows[0]?.['recovery'] === 'true')
    return 'it is waiting for the primary: run SELECT pg_log_standby_snapshot() there'
  return null
}

/**
 * Returns the result of `work`. If `work` takes long, reports what blocks it in the status and the
 * log.
 */
export async function reportingBlockers<T>(
  context: BlockedContext,
  what: string,
  worker: () => Worker,
  work: Promise<T>,
): Promise<T> {
  const done = new AbortController()
  const reporting = report(context, what, worker, AbortSignal.any([done.signal, context.signal]))
  try {
    return await work
  } finally {
    done.abort(new Error('done'))
    await reporting
  }
}

async function report(context: BlockedContext, what: string, worker: () => Worker, signal: AbortSignal): Promise<void> {
  // uses a new connection, because the task's own connection may be blocked
  const catalog = new Catalog(context.options, signal)
  let reported = ''
  try {
    for (let wait = FIRST_CHECK_MS; ; wait = CHECK_MS) {
      await sleep(wait, signal)
      const held = await blockersOf(catalog, worker())
      const message = `${what} is taking long: ${held ?? 'the server does not say why'}`
      context.waits(message, Date.now() + CHECK_MS)
      if (message !== reported) context.logger.warn(message)
      reported = message
    }
  } catch (error) {
    // logged only for debugging, because `work` fails and reports the error if the server has a
    // problem
    if (!signal.aborted) context.logger.debug(`cannot find out what ${what} is waiting for: ${error}`)
  } finally {
    await catalog.close()
  }
}
