/** The limits that determine when to write a metadata snapshot. */
export interface SnapshotLimits {
  /** `metadata.log.max.record.bytes.between.snapshots` */
  readonly maxBytesBetween: number
  /** `metadata.log.max.snapshot.interval.ms`. 0 means no limit. */
  readonly maxIntervalMs: number
}

/** The limits that determine how much old metadata is kept. */
export interface MetadataRetention {
  /** `metadata.max.retention.bytes`. -1 means no limit. */
  readonly bytes: number
  /** `metadata.max.retention.ms`. -1 means no limit. */
  readonly ms: number
}

/** Whether to write a snapshot, given the bytes of records and the time since the last one. */
export function isSnapshotDue(limits: SnapshotLimits, bytes: number, ageMs: number): boolean {
  return bytes >= limits.maxBytesBetween || (limits.maxIntervalMs > 0 && ageMs >= limits.maxIntervalMs)
}

export interface SnapshotFacts {
  readonly size: number
  /** The timestamp of the last record in the snapshot. */
  readonly timestamp: number
}

/**
 * Whether to remove the oldest snapshot and the log up to the next snapshot. As in Kafka, it is
 * removed if it is too old or if all of them together are too large. The newest snapshot is always
 * kept.
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
