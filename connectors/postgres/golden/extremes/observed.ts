import { parseExact } from '../captured.ts'

/**
 * The output of a column in one mode. `cells` contains the values by event, such as `c1003` for the
 * create event of row 1003.
 */
export interface ObservedColumn {
  readonly schema: string
  readonly cells: Record<string, unknown>
}

/** The output of each column, by table and column. */
export type Observed = Record<string, Record<string, ObservedColumn>>

interface Field {
  readonly field: string
  readonly fields?: readonly Field[]
}
interface Event {
  readonly schema: Field
  readonly payload: {
    readonly op: string
    readonly before: Record<string, unknown> | null
    readonly after: Record<string, unknown> | null
    readonly source: { readonly table: string }
  }
}

/**
 * Removes the memory addresses that Java prints for arrays, because they differ from run to run.
 */
const withoutAddresses = (value: unknown): unknown =>
  JSON.parse(JSON.stringify(value ?? null).replaceAll(/(\[L[\w.]+;@)[0-9a-f]+/g, '$1...'))

/**
 * Adds the values of an event to `into`. `text` is the event as JsonConverter with schemas writes
 * it.
 */
export function observe(into: Observed, text: string): void {
  const { schema, payload } = parseExact(text) as Event
  const row = payload.after ?? payload.before
  const table = (into[payload.source.table] ??= {})
  const side = schema.fields!.find(f => f.field === 'after')!
  const event = `${payload.op}${row!['id']}`
  // the table `untouched` is for updates, whose events omit the large values that did not change
  if (payload.source.table === 'untouched' && payload.op !== 'u') return
  for (const { field, ...rest } of side.fields!) {
    if (field === 'id' || field === 'n') continue
    const own = JSON.stringify(rest)
    const column = (table[field] ??= { schema: own, cells: {} })
    column.cells[event] = withoutAddresses(row![field])
    if (column.schema !== own) column.cells[`schema of ${event}`] = own
  }
}
