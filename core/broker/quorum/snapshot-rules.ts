/** When a snapshot of the metadata is due. */
export interface SnapshotLimits {
  /** `metadata.log.max.record.bytes.between.snapshots` */
  readonly maxBytesBetween: number
  /** `metadata.log.max.snapshot.interval.ms`; 0 is never. */
  readonly maxIntervalMs: number
}

/** How much of the old metadata is kept. */
export interface MetadataRetention {
  /** `metadata.max.retention.bytes`; -1 is no limit. */
  readonly bytes: number
  /** `metadata.max.retention.ms`; -1 is no limit. */
  readonly ms: number
}

/** Whether to write a snapshot, given the bytes of records and the time since the last one. */
export function isSnapshotDue(limits: SnapshotLimits, bytes: number, ageMs: number): boolean {
  return bytes >= limits.maxBytesBetween || (limits.maxIntervalMs > 0 && ageMs >= limits.maxIntervalMs)
}

export interface SnapshotFacts {
  readonly size: number
  /** The time of the last record that it covers. */
  readonly timestamp: number
}

/**
 * Whether the oldest snapshot may be removed, with the log up to the next one (Kafka's rule): it is
 * too old, or all together are too large. The newest one always stays.
 */
export function mayDropOldest(
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
