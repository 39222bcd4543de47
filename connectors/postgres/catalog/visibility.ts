/**
 * The query for the snapshot of the current transaction. It uses the older txid functions, because
 * PostgreSQL 10 to 12 do not have pg_current_snapshot.
 */
export const SNAPSHOT = `select txid_snapshot_xmin(s)::text as xmin, txid_snapshot_xmax(s)::text as xmax,
  (select coalesce(json_agg(x::text), '[]')::text from txid_snapshot_xip(s) x) as xip from txid_current_snapshot() s`

export interface SnapshotRow {
  readonly xmin: string
  readonly xmax: string
  /** The ids of the transactions in progress, as a JSON list. */
  readonly xip: string
}

/**
 * Returns a function that tells whether the snapshot contains the changes of a transaction.
 * Transaction ids have 32 bits in the stream but 64 bits in a snapshot, so the function uses the
 * 64-bit id that is nearest to the snapshot.
 */
export function seesOf(row: SnapshotRow): (txId: number) => boolean {
  const xmin = BigInt(row.xmin)
  const xmax = BigInt(row.xmax)
  const running = new Set(JSON.parse(row.xip) as string[])
  return txId => {
    let full = ((xmax >> 32n) << 32n) | BigInt(txId)
    if (full > xmax + 0x7fffffffn) full -= 1n << 32n
    else if (full < xmax - 0x7fffffffn) full += 1n << 32n
    return full < xmin || (full < xmax && !running.has(full.toString()))
  }
}
