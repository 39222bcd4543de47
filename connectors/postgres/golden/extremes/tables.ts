import { ALL, COLUMNS, columnName, DOMAINS, type ExtremeColumn, LARGE, REQUIRED, SETUP } from './columns.ts'

/**
 * A table of extremes. `setup` contains the statements before the snapshot, `stream` those that run
 * while the connector streams.
 */
export interface ExtremeTable {
  readonly name: string
  readonly columns: readonly { readonly name: string; readonly type: string }[]
  readonly setup: readonly string[]
  readonly stream: readonly string[]
  /** The columns with their values on the server, row by row; null if the values are not known. */
  readonly values: readonly ExtremeColumn[] | null
}

const literal = (v: string | null) => (v === null ? 'null' : ` E'${v.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`)
const createTable = (name: string, columns: readonly string[]) =>
  `create table ${name} (id int primary key, ${columns.join(', ')})`
const rows = (columns: readonly ExtremeColumn[]) => Math.max(...columns.map(c => c.values.length))
const numbered = <T>(count: number, make: (i: number) => T) => Array.from({ length: count }, (_, i) => make(i))

/**
 * Returns a table whose rows contain the values of the columns. The longest list of values defines
 * the number of rows. After the end of a shorter list, its column is NULL.
 */
function listed(name: string, columns: readonly ExtremeColumn[]): ExtremeTable {
  const insert = (row: number, id: number) =>
    `insert into ${name} values (${id}, ${columns.map(c => literal(c.values[row] ?? null)).join(', ')})`
  return {
    name,
    columns,
    values: columns,
    setup: [
      createTable(
        name,
        columns.map(c => `${c.name} ${c.type}`),
      ),
      ...numbered(rows(columns), i => insert(i, i + 1)),
    ],
    stream: numbered(rows(columns), i => insert(i, i + 1001)),
  }
}

/**
 * Returns a table of NOT NULL columns. The delete event shows the fillers for values that the
 * server does not send.
 */
function required(): ExtremeTable {
  const insert = (id: number) =>
    `insert into required values (${id}, ${REQUIRED.map(c => literal(c.values[0]!)).join(', ')})`
  return {
    name: 'required',
    columns: REQUIRED,
    values: REQUIRED,
    setup: [
      createTable(
        'required',
        REQUIRED.map(c => `${c.name} ${c.type} not null`),
      ),
      insert(1),
    ],
    stream: [insert(1001), 'delete from required where id = 1001'],
  }
}

/**
 * Returns tables with a column for each value of each type. The value is the default of its column.
 */
function defaulted(): ExtremeTable[] {
  // a constant of the type regrole cannot be a default
  const types = Object.entries(ALL as Readonly<Record<string, readonly string[]>>).filter(
    ([type]) => type !== 'regrole',
  )
  const columns = types.flatMap(([type, values]) =>
    values.map((value, i) => ({ name: `${columnName(type)}__${i}`, type, value, values: [value] })),
  )
  const size = 150
  return numbered(Math.ceil(columns.length / size), n => {
    const name = `defaulted_${n}`
    const own = columns.slice(n * size, (n + 1) * size)
    return {
      name,
      columns: own,
      values: own,
      setup: [
        createTable(
          name,
          own.map(c => `${c.name} ${c.type} default ${literal(c.value)}`),
        ),
        `insert into ${name} values (1)`,
      ],
      stream: [`insert into ${name} values (1001)`],
    }
  })
}

/** A table of large values that an update does not change. */
const untouched: ExtremeTable = {
  name: 'untouched',
  columns: LARGE,
  values: null,
  setup: [
    createTable('untouched', ['n int', ...LARGE.map(c => `${c.name} ${c.type}`)]),
    `alter table untouched set (toast_tuple_target = 128)`,
    `alter table untouched ${LARGE.map(c => `alter ${c.name} set storage external`).join(', ')}`,
    `insert into untouched values (1, 1, ${LARGE.map(c => c.value).join(', ')})`,
  ],
  stream: ['update untouched set n = 2'],
}

const isDomain = (name: string) => /^(d|dd|da|ad)_|^shorter$/.test(name)
const isArray = (c: ExtremeColumn) => c.type.endsWith('[]')

export const TABLES: readonly ExtremeTable[] = [
  listed(
    'plain',
    COLUMNS.filter(c => !isArray(c) && !isDomain(c.name)),
  ),
  listed(
    'arrays',
    COLUMNS.filter(c => isArray(c) && !isDomain(c.name)),
  ),
  listed(
    'domains',
    COLUMNS.filter(c => isDomain(c.name)),
  ),
  ...defaulted(),
  untouched,
  required(),
]

export const setupStatements = (tables: readonly ExtremeTable[] = TABLES): string[] => [
  ...SETUP,
  ...DOMAINS,
  ...tables.flatMap(t => t.setup),
]
export const streamStatements = (tables: readonly ExtremeTable[] = TABLES): string[] => tables.flatMap(t => t.stream)

/** Returns the number of events of the tables, without tombstones. */
export function expectedEvents(tables: readonly ExtremeTable[] = TABLES): { snapshot: number; all: number } {
  const snapshot = tables.flatMap(t => t.setup).filter(sql => sql.startsWith('insert')).length
  return { snapshot, all: snapshot + streamStatements(tables).length }
}
