/** What a transaction of the server sees: asks for the present one. (txid_*: PostgreSQL 10 to 12 have no pg_current_snapshot.) */
export const SNAPSHOT = `select txid_snapshot_xmin(s)::text as xmin, txid_snapshot_xmax(s)::text as xmax,
  (select coalesce(json_agg(x::text), '[]')::text from txid_snapshot_xip(s) x) as xip from txid_current_snapshot() s`

export interface SnapshotRow {
  readonly xmin: string
  readonly xmax: string
  /** A JSON list of those that were running. */
  readonly xip: string
}

/**
 * Whether a snapshot sees what a transaction did. Transaction ids of the stream have 32 bits, those of a snapshot 64: the nearest to
 * the snapshot is meant.
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
