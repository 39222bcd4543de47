/** The limits that determine when to write a metadata snapshot. */
export interface SnapshotLimits {
  /** The value of `metadata.log.max.record.bytes.between.snapshots`. */
  readonly maxBytesBetween: number
  /** The value of `metadata.log.max.snapshot.interval.ms`. 0 means no limit. */
  readonly maxIntervalMs: number
}

/** The limits that determine how much old metadata is kept. */
export interface MetadataRetention {
  /** The value of `metadata.max.retention.bytes`. -1 means no limit. */
  readonly bytes: number
  /** The value of `metadata.max.retention.ms`. -1 means no limit. */
  readonly ms: number
}

/**
 * Whether a snapshot must be written. `bytes` is the size of the records since the last snapshot,
 * and `ageMs` is the time since then.
 */
export function isSnapshotDue(limits: SnapshotLimits, bytes: number, ageMs: number): boolean {
  return bytes >= limits.maxBytesBetween || (limits.maxIntervalMs > 0 && ageMs >= limits.maxIntervalMs)
}

export interface SnapshotFacts {
  readonly size: number
  /** The timestamp of the last record in the snapshot. */
  readonly timestamp: number
}

/**
 * Whether the oldest snapshot must be removed, and with it the log up to the next snapshot. As in
 * Kafka, this applies if the oldest snapshot is too old, or if the log and all snapshots together
 * are too large. The newest snapshot is always kept.
 */
export function shouldRemoveOldest(
  snapshots: readonly SnapshotFacts[],
  logBytes: number,
  retention: MetadataRetention,
  now: number,
): boolean {
  const oldest = snapshots[0]
  if (oldest === undefined || snapshots.length < 2) return false
  if (retention.ms >= 0 && now - oldest.timestamp > retention.ms) return true
  const total = snapshots.reduce((sum, s) => sum + s.size, logBytes)
  return retention.bytes >= 0 && total > retention.bytes
}
