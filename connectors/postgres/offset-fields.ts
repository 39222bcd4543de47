import type { SourceOffset } from 'millrace/connect'
import { progressOf } from './offset.ts'
import { parseWalId } from './wal-state.ts'

type Check = (value: unknown) => string | null

const MAX_INT64 = 2n ** 63n - 1n

/** Whether a value is a whole number that fits a Java long and has its full precision. */
const isLong = (v: unknown): v is number | bigint =>
  typeof v === 'bigint' ? v <= MAX_INT64 && v >= -MAX_INT64 : Number.isSafeInteger(v)

const long: Check = v => (isLong(v) ? null : 'must be a whole number')
const position: Check = v => (isLong(v) && v >= 0 ? null : 'must be a non-negative whole number')
const bool: Check = v => (typeof v === 'boolean' ? null : 'must be true or false')
const text: Check = v => (typeof v === 'string' ? null : 'must be a string')
const mark: Check = v => (typeof v === 'string' || typeof v === 'boolean' ? null : 'must be a string or a boolean')
const OPERATIONS = ['BEGIN', 'COMMIT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'MESSAGE', 'NOOP', 'ORIGIN']
const operation: Check = v => (OPERATIONS.includes(v as string) ? null : `must be one of ${OPERATIONS.join(', ')}`)
const any: Check = () => null

/** The checks of the keys of an offset: Debezium's keys and those of this connector. */
const FIELDS: Readonly<Record<string, Check>> = {
  lsn: position,
  lsn_proc: position,
  lsn_commit: position,
  lsn_events_processed: position,
  txId: position,
  xmin: position,
  ts_usec: long,
  messageType: operation,
  snapshot: mark,
  snapshot_completed: bool,
  last_snapshot_record: bool,
  transaction_id: text,
  lsn_idle: position,
  wal_id: v => (parseWalId(v) ? null : 'must look like <system identifier>/<timeline>'),
  snapshot_progress: v => (progressOf(v) ? null : 'must be the snapshot progress as the connector writes it'),
}

/**
 * The checks of keys with a variable suffix: event counts by table, and the state of an incremental
 * snapshot.
 */
const FAMILIES: readonly (readonly [RegExp, Check])[] = [
  [/^transaction_data_collection_order_/, position],
  [/^incremental_snapshot_/, any],
]

const checkOf = (key: string): Check | null =>
  (Object.hasOwn(FIELDS, key) ? FIELDS[key] : FAMILIES.find(([name]) => name.test(key))?.[1]) ?? null

/**
 * Returns what is wrong with an offset, with the name of the field; null if the offset is valid.
 * With `known`, an unknown key is an error.
 */
export function offsetFault(offset: SourceOffset, known: boolean): string | null {
  if (offset['lsn'] === undefined || offset['lsn'] === null) return '"lsn" is missing'
  for (const [key, value] of Object.entries(offset)) {
    const check = checkOf(key)
    if (check === null && known) return `"${key}" is not an offset field of this connector`
    const wrong = value === null ? null : (check?.(value) ?? null)
    if (wrong !== null) return `"${key}" ${wrong}, not ${shown(value)}`
  }
  return null
}

function shown(value: unknown): string {
  const json = JSON.stringify(value, (_, v) => (typeof v === 'bigint' ? String(v) : v))
  return json.length > 100 ? `${json.slice(0, 100)}...` : json
}
