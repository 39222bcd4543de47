import { type Logger, sleep } from 'millrace/connect'
import { Catalog } from './catalog/catalog.ts'
import type { PostgresOptions } from './options.ts'

/**
 * How long a statement may take before we check what blocks it, and the time between checks (ms).
 */
const FIRST_LOOK_MS = 1000
const LOOK_MS = 5000

export interface BlockedContext {
  readonly options: PostgresOptions
  readonly logger: Logger
  readonly signal: AbortSignal
  /** What the task is waiting for, shown in its status. */
  readonly waits: (message: string, retryAt: number) => void
}

/** The server process that does the work: given by pid, or as the one that creates the slot. */
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

/** Describes what blocks a connection; null if nothing does. */
export async function blockersOf(catalog: Catalog, worker: Worker): Promise<string | null> {
  const values = 'pid' in worker ? [worker.pid, null] : [null, worker.slot]
  const rows = await catalog.rows(BLOCKERS, values)
  const found = rows.filter(r => r['pid'] !== null)
  if (found.length > 0) return `it is waiting for the open transactions of ${found.map(blocker).join('; ')}`
  // on a standby a new slot needs a WAL record that an idle primary does not write
  if ('slot' in worker && rows[0]?.['recovery'] === 'true')
    return 'it is waiting for the primary: run SELECT pg_log_standby_snapshot() there'
  return null
}

/** Runs some work. If it takes long, reports in the status and the log what it is waiting for. */
export async function tellingBlocked<T>(
  context: BlockedContext,
  what: string,
  worker: () => Worker,
  work: Promise<T>,
): Promise<T> {
  const done = new AbortController()
  const telling = tell(context, what, worker, AbortSignal.any([done.signal, context.signal]))
  try {
    return await work
  } finally {
    done.abort(new Error('done'))
    await telling
  }
}

async function tell(context: BlockedContext, what: string, worker: () => Worker, signal: AbortSignal): Promise<void> {
  // the task's own connection may be the blocked one
  const catalog = new Catalog(context.options, signal)
  let told = ''
  try {
    for (let wait = FIRST_LOOK_MS; ; wait = LOOK_MS) {
      await sleep(wait, signal)
      const held = await blockersOf(catalog, worker())
      const message = `${what} is taking long: ${held ?? 'the server does not say why'}`
      context.waits(message, Date.now() + LOOK_MS)
      if (message !== told) context.logger.warn(message)
      told = message
    }
  } catch (error) {
    // if the server has a problem, the work itself will report it
    if (!signal.aborted) context.logger.debug(`cannot find out what ${what} is waiting for: ${error}`)
  } finally {
    await catalog.close()
  }
}
