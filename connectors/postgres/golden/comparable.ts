import type { CapturedRecord } from './captured.ts'

type Json = Record<string, unknown>

/**
 * Fields whose values differ from run to run, such as times, positions and ids. Only the types of
 * these values are compared.
 */
const VOLATILE = new Set(['ts_ms', 'ts_us', 'ts_ns', 'lsn', 'txId', 'version'])

const kind = (value: unknown): unknown => (value === null ? null : typeof value === 'object' ? 'number' : typeof value)

function source(block: Json): Json {
  const out: Json = {}
  for (const [key, value] of Object.entries(block)) {
    if (VOLATILE.has(key)) out[key] = kind(value)
    else if (key === 'sequence') out[key] = String(value).replace(/\d+/g, 'N')
    else out[key] = value
  }
  return out
}

function payload(value: Json, database: string): Json {
  const out: Json = {}
  for (const [key, v] of Object.entries(value)) {
    if (key === 'source' && v !== null)
      out[key] = { ...source(v as Json), db: (v as Json)['db'] === database ? 'db' : v }
    else if (key === 'transaction' && v !== null)
      out[key] = { ...(v as Json), id: 'id', ...(value['op'] === 'm' ? { data_collection_order: 'order' } : {}) }
    else if (VOLATILE.has(key) && 'op' in value) out[key] = kind(v)
    else out[key] = v
  }
  return out
}

/** Columns whose values the server generates, so that they differ from run to run. */
const GENERATED: Readonly<Record<string, readonly string[]>> = {
  't.public.defaults': ['nd', 'tsn', 'ug'],
  't.public.customers': ['created'],
}

/**
 * Returns a row without the values that deliberately differ (README.md, "Differences from
 * Debezium").
 */
function differing(topic: string, row: Json, snapshot: boolean): Json {
  const out = { ...row }
  for (const column of GENERATED[topic] ?? [])
    if (column in out) out[column] = out[column] === null ? null : 'generated'
  // Debezium truncates times in arrays to milliseconds, and streams columns of type `name` as null
  if (topic === 't.public.arrays' && Array.isArray(out['ti'])) out['ti'] = out['ti'].map(() => 'time')
  if (topic === 't.public.texts' && !snapshot) out['n'] = null
  // Debezium's snapshot and its stream represent infinite dates and dates BC differently
  if (topic === 't.public.far') out['d'] = 'date'
  return out
}

/**
 * Returns a schema whose array elements are optional. This connector's elements are always
 * optional, because any array can contain NULL. Debezium's elements are not always optional.
 */
function withOptionalElements(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(withOptionalElements)
  if (typeof schema !== 'object' || schema === null) return schema
  const out: Json = {}
  for (const [key, v] of Object.entries(schema)) {
    const inner = withOptionalElements(v)
    out[key] = key === 'items' ? { ...(inner as Json), optional: true } : inner
  }
  return out
}

/**
 * Returns the event counts of a transaction, with one count for all messages. Debezium counts each
 * message separately, under the address of a Java object.
 */
function counted(collections: readonly unknown[]): unknown {
  const counts = new Map<string, number>()
  for (const { data_collection: name, event_count: count } of collections as { [key: string]: never }[]) {
    const id = /LogicalDecodingMessageId@/.test(String(name)) ? 'LOGICAL_DECODING_MESSAGE' : String(name)
    counts.set(id, (counts.get(id) ?? 0) + Number(count))
  }
  return [...counts]
}

function value(topic: string, v: unknown, database: string): unknown {
  if (v === null) return null
  const { schema: given, payload: p } = v as { schema: unknown; payload: Json }
  const schema = withOptionalElements(given)
  if (!('op' in p)) {
    // a record without `op` is transaction metadata or a heartbeat
    const counts = Array.isArray(p['data_collections']) ? { data_collections: counted(p['data_collections']) } : {}
    return { schema, payload: { ...p, ...counts, ...('id' in p ? { id: 'id' } : {}), ts_ms: 'number' } }
  }
  const body = payload(p, database)
  const snapshot = (p['source'] as Json)['snapshot'] !== 'false'
  for (const side of ['before', 'after']) {
    if (body[side]) body[side] = differing(topic, body[side] as Json, snapshot)
  }
  return { schema, payload: body }
}

function header([name, v]: readonly [string, unknown]): readonly [string, unknown] {
  return name === '__debezium.context.runId' ? [name, { ...(v as Json), payload: 'id' }] : [name, v]
}

/**
 * Returns whether a record is from the second read of a row by Debezium's snapshot. Debezium reads
 * a partitioned table and also its partitions, so it writes each row to two topics. The record in
 * the topic without the row's changes counts as the second read. This connector reads each row only
 * once, into the topic of its changes.
 */
export function isReadTwice(scenario: string, record: CapturedRecord): boolean {
  if (record.topic === 't.public.parts') return true
  if (!scenario.startsWith('partitions') || record.value === null) return false
  const { op } = (record.value as { payload: Json }).payload
  const ofRoot = record.topic === 't.public.regions'
  return op === 'r' && ofRoot === (scenario === 'partitions')
}

/**
 * Replaces the snapshot mark (`first`, `last`, ...) of a record, because the mark depends on the
 * tables that the snapshot reads.
 */
function withoutMark(scenario: string, shown: unknown): unknown {
  const p = (shown as { payload?: { source?: Json } } | null)?.payload
  if (!scenario.startsWith('partitions') || !p?.source || p.source['snapshot'] === 'false') return shown
  return { ...(shown as Json), payload: { ...p, source: { ...p.source, snapshot: 'true' } } }
}

/**
 * Returns records in a form in which two runs can be compared: by topic, in order. All heartbeats
 * of a topic count as one record.
 */
export function comparable(scenario: string, records: readonly CapturedRecord[], database: string): Json {
  const topics: Record<string, unknown[]> = {}
  for (const r of records) {
    if (isReadTwice(scenario, r)) continue
    const key = r.topic.endsWith('.transaction') ? { ...(r.key as Json), payload: 'id' } : r.key
    const shown = {
      key,
      value: withoutMark(scenario, value(r.topic, r.value, database)),
      headers: r.headers.map(header),
    }
    const list = (topics[r.topic] ??= [])
    if (r.topic.startsWith('__debezium-heartbeat') && list.length > 0) continue
    list.push(shown)
  }
  return Object.fromEntries(Object.entries(topics).sort(([a], [b]) => (a < b ? -1 : 1)))
}
