import { DEVIATIONS, type Deviation, type Rule } from './deviations.ts'
import type { Observed } from './observed.ts'
import { type ExtremeTable, TABLES } from './tables.ts'

/**
 * One detail of a column, as Debezium and this connector emit it: a value in an event, the schema,
 * or whether the column is in the events at all.
 */
export interface Cell {
  readonly mode: string
  readonly table: string
  readonly column: string
  /**
   * The operation of the event (`r`ead, `c`reate, `u`pdate or `d`elete), or `schema` or `column`.
   */
  readonly event: string
  /** The text of the value on the server; null for NULL, and if the value is not known. */
  readonly value: string | null
  readonly debezium: string
  readonly here: string
}

function serverValue(table: ExtremeTable, column: string, event: string): string | null {
  const row = (Number(event.slice(1)) - 1) % 1000
  return table.values?.find(c => c.name === column)?.values[row] ?? null
}

function columnCells(mode: string, table: ExtremeTable, column: string, debezium: Observed, here: Observed): Cell[] {
  const a = debezium[table.name]?.[column]
  const b = here[table.name]?.[column]
  const about = { mode, table: table.name, column, value: null }
  if (a === undefined || b === undefined) {
    if (a === b) return []
    return [{ ...about, event: 'column', debezium: a ? 'there' : 'missing', here: b ? 'there' : 'missing' }]
  }
  const events = new Set([...Object.keys(a.cells), ...Object.keys(b.cells)])
  const values = [...events].map(event => ({
    ...about,
    event: event.startsWith('schema') ? event : event[0]!,
    value: serverValue(table, column, event),
    debezium: event in a.cells ? JSON.stringify(a.cells[event]) : 'missing',
    here: event in b.cells ? JSON.stringify(b.cells[event]) : 'missing',
  }))
  return [{ ...about, event: 'schema', debezium: a.schema, here: b.schema }, ...values]
}

/** Returns the cells of all tables in a mode, both equal and different cells. */
export const cellsOf = (mode: string, debezium: Observed, here: Observed): Cell[] =>
  TABLES.flatMap(t => t.columns.flatMap(c => columnCells(mode, t, c.name, debezium, here)))

const whole = (pattern: string): RegExp => new RegExp(`^(?:${pattern})$`, 's')
const compiled = new Map<string, RegExp>()
function matches(pattern: string | undefined, text: string | null): boolean {
  if (pattern === undefined) return true
  if (text === null) return false
  const regex = compiled.get(pattern) ?? whole(pattern)
  compiled.set(pattern, regex)
  return regex.test(text)
}

const applies = (rule: Rule, cell: Cell): boolean =>
  matches(rule.columns, cell.column) &&
  matches(rule.tables, cell.table) &&
  matches(rule.modes, cell.mode) &&
  matches(rule.events, cell.event) &&
  matches(rule.values, cell.value) &&
  matches(rule.debezium, cell.debezium) &&
  matches(rule.here, cell.here)

export const describeCell = (c: Cell): string =>
  `${c.mode} ${c.table}.${c.column} ${c.event} ${c.value?.slice(0, 80) ?? ''}: ${c.debezium.slice(0, 160)} / ${c.here.slice(0, 160)}`

/**
 * Returns errors in the list of deviations: cells that differ but match no rule, and rules that
 * match equal cells or no cell.
 */
export function faults(cells: readonly Cell[]): string[] {
  const out: string[] = []
  const used = new Set<Deviation>()
  for (const cell of cells) {
    const equal = cell.debezium === cell.here
    // equal nulls are expected, because the value on the server is NULL
    if (equal && cell.debezium === 'null' && cell.value === null) continue
    const reasons = DEVIATIONS.filter(d => d.rules.some(rule => applies(rule, cell)))
    for (const d of reasons) used.add(d)
    if (!equal && reasons.length === 0) out.push(`differs: ${describeCell(cell)}`)
    if (equal && reasons.length > 0) out.push(`is listed (${reasons[0]!.what}), and equal: ${describeCell(cell)}`)
  }
  for (const d of DEVIATIONS) if (!used.has(d)) out.push(`is listed, and nothing like it was seen: ${d.what}`)
  return out
}
