import type { Logger } from '../../core/connect/index.ts'
import { Catalog } from './catalog/catalog.ts'
import { delay } from './client/wait.ts'
import type { PostgresOptions } from './options.ts'

/** How long a statement may take before it is looked what holds it up, and between two looks. Milliseconds. */
const FIRST_LOOK_MS = 1000
const LOOK_MS = 5000

export interface BlockedContext {
  readonly options: PostgresOptions
  readonly logger: Logger
  readonly signal: AbortSignal
  /** What is waited for, for the status of the task. */
  readonly waits: (message: string, retryAt: number) => void
}

/** The connection of the server that does the work: by its pid, or as the one that makes a slot. */
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

/** What holds a connection up, in words; null where nothing does. */
export async function blockersOf(catalog: Catalog, worker: Worker): Promise<string | null> {
  const values = 'pid' in worker ? [worker.pid, null] : [null, worker.slot]
  const rows = await catalog.rows(BLOCKERS, values)
  const found = rows.filter(r => r['pid'] !== null)
  if (found.length > 0) return `it waits for the open transactions of ${found.map(blocker).join('; ')}`
  // there the slot needs a record of the primary, which an idle one does not write
  if ('slot' in worker && rows[0]?.['recovery'] === 'true')
    return 'it waits for the primary: run SELECT pg_log_standby_snapshot() there'
  return null
}

/** Does some work, and tells in the status and the log what it waits for while it takes long. */
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
  // the task's own connection may be the one that waits
  const catalog = new Catalog(context.options, signal)
  let told = ''
  try {
    for (let wait = FIRST_LOOK_MS; ; wait = LOOK_MS) {
      await delay(wait, signal)
      const held = await blockersOf(catalog, worker())
      const message = `${what} takes long: ${held ?? 'the server does not say what it waits for'}`
      context.waits(message, Date.now() + LOOK_MS)
      if (message !== told) context.logger.warn(message)
      told = message
    }
  } catch (error) {
    // the work itself says what is wrong with the server
    if (!signal.aborted) context.logger.debug(`cannot look what ${what} waits for: ${error}`)
  } finally {
    await catalog.close()
  }
}
