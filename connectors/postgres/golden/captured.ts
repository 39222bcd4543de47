/** A record of a topic. Its key, value and headers are the JSON of JsonConverter with schemas. */
export interface CapturedRecord {
  readonly topic: string
  readonly offset: number
  readonly key: unknown
  readonly value: unknown
  readonly headers: readonly (readonly [string, unknown])[]
}

/** The records that Debezium wrote in a scenario. */
export interface Captured {
  readonly scenario: string
  readonly prefix: string
  readonly database: string
  readonly debezium: string
  /** The number of records in each topic at the end of the snapshot. */
  readonly snapshot: Readonly<Record<string, number>>
  readonly offsets: readonly unknown[]
  readonly records: readonly CapturedRecord[]
}

/** Parses JSON. An integer that a double cannot represent exactly becomes `{ $exact: text }`. */
export function parseExact(text: string): unknown {
  return JSON.parse(text, (_key, value, context?: { source?: string }) => {
    const source = context?.source
    if (typeof value === 'number' && source !== undefined && !Number.isSafeInteger(value) && /^-?\d+$/.test(source))
      return { $exact: source }
    return value
  })
}

/**
 * Returns a fixture as text. Replaces the topic prefix by `t` and the database by `db`, and writes
 * each schema once.
 */
export function encodeFixture(captured: Captured): string {
  const schemas: string[] = []
  const shared = (value: unknown): unknown => {
    if (typeof value !== 'object' || value === null || !('schema' in value)) return value
    if (value.schema === null) return value
    const text = JSON.stringify(value.schema)
    let at = schemas.indexOf(text)
    if (at < 0) at = schemas.push(text) - 1
    return { ...value, schema: at }
  }
  const records = captured.records.map(r =>
    JSON.stringify({
      topic: r.topic,
      key: shared(r.key),
      value: shared(r.value),
      headers: r.headers.map(([n, v]) => [n, shared(v)]),
    }),
  )
  const { scenario, debezium, snapshot, offsets } = captured
  const head = JSON.stringify({ scenario, debezium, snapshot, offsets })
  return `${head.slice(0, -1)},\n"schemas":[\n${schemas.join(',\n')}],\n"records":[\n${records.join(',\n')}]}\n`
    .replaceAll(captured.prefix, 't')
    .replaceAll(captured.database, 'db')
}

/** Parses the text of a fixture, and inserts its schemas into the records. */
export function decodeFixture(text: string): Captured {
  const raw = JSON.parse(text) as Omit<Captured, 'prefix' | 'database'> & { schemas: unknown[] }
  const full = (value: unknown): unknown =>
    typeof value === 'object' && value !== null && 'schema' in value && typeof value.schema === 'number'
      ? { ...value, schema: raw.schemas[value.schema] }
      : value
  const records = raw.records.map((r, offset) => ({
    ...r,
    offset,
    key: full(r.key),
    value: full(r.value),
    headers: r.headers.map(([n, v]) => [n, full(v)] as const),
  }))
  return { ...raw, prefix: 't', database: 'db', records }
}
