import type { Observed, ObservedColumn } from './observed.ts'

/**
 * A column in the fixture. `read` contains the values of the snapshot. `others` contains the values
 * of other events, except for creates that repeat the value of the snapshot.
 */
interface StoredColumn {
  readonly modes: readonly string[]
  readonly schema: string
  /** The number of rows in the snapshot. Values that are missing at the end of `read` are null. */
  readonly rows: number
  readonly read: readonly unknown[]
  readonly others: Readonly<Record<string, unknown>>
}

/** The output of Debezium, by column. Modes with the same output share one entry. */
export interface ExtremesFixture {
  readonly debezium: string
  readonly server: string
  readonly columns: Readonly<Record<string, readonly StoredColumn[]>>
}

/**
 * Returns the create event of the streamed row that has the same values as a row of the snapshot.
 */
const streamed = (row: number): string => `c${row + 1000}`
const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b)

function store({ schema, cells }: ObservedColumn): Omit<StoredColumn, 'modes'> {
  const rows = Object.keys(cells).filter(event => /^r\d+$/.test(event)).length
  const read = Array.from({ length: rows }, (_, i) => cells[`r${i + 1}`])
  const others = Object.entries(cells).filter(([event, value]) => {
    const row = Number(event.slice(1))
    return !event.startsWith('r') && !(event === streamed(row - 1000) && same(value, cells[`r${row - 1000}`]))
  })
  while (read.length > 0 && read.at(-1) === null) read.pop()
  return { schema, rows, read, others: Object.fromEntries(others) }
}

function restore({ schema, rows, read, others }: StoredColumn): ObservedColumn {
  const cells: Record<string, unknown> = {}
  for (let row = 1; row <= rows; row++) {
    cells[`r${row}`] = read[row - 1] ?? null
    cells[streamed(row)] = read[row - 1] ?? null
  }
  return { schema, cells: { ...cells, ...others } }
}

export function encodeExtremes(debezium: string, server: string, modes: Readonly<Record<string, Observed>>): string {
  const columns = new Map<string, Map<string, string[]>>()
  for (const [mode, tables] of Object.entries(modes)) {
    for (const [table, own] of Object.entries(tables)) {
      for (const [name, column] of Object.entries(own)) {
        const id = `${table}.${name}`
        const variants = columns.get(id) ?? new Map<string, string[]>()
        columns.set(id, variants)
        const text = JSON.stringify(store(column))
        variants.set(text, [...(variants.get(text) ?? []), mode])
      }
    }
  }
  const lines = [...columns].map(([id, variants]) => {
    const list = [...variants].map(([text, names]) => `${text.slice(0, -1)},"modes":${JSON.stringify(names)}}`)
    return `${JSON.stringify(id)}:[${list.join(',\n')}]`
  })
  return `{"debezium":${JSON.stringify(debezium)},"server":${JSON.stringify(server)},"columns":{\n${lines.join(',\n')}}}\n`
}

/** Returns the output of Debezium in one mode. */
export function decodeExtremes(fixture: ExtremesFixture, mode: string): Observed {
  const out: Observed = {}
  for (const [id, variants] of Object.entries(fixture.columns)) {
    const variant = variants.find(v => v.modes.includes(mode))
    if (!variant) continue
    const [table, name] = id.split('.') as [string, string]
    ;(out[table] ??= {})[name] = restore(variant)
  }
  return out
}
