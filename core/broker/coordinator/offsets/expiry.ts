import type { ClassicGroup } from '../group/classic-group.ts'
import type { CommittedOffset, CommittedOffsets } from './committed-offsets.ts'

/**
 * Returns the offsets of a group that have expired by Kafka's rules (KIP-211). The retention time
 * of an offset starts when the offset was committed. If the group became empty later, the retention
 * time starts at that moment. While the group has members, only the offsets of topics that no
 * member reads expire. Times are in milliseconds.
 */
export function expiredOffsets(
  group: ClassicGroup,
  offsets: CommittedOffsets,
  retentionMs: number,
  now: number,
): { topic: string; partition: number }[] {
  const since = baseOf(group)
  if (!since) return []
  const reads = group.state === 'Empty' ? null : group.topics
  const expired: { topic: string; partition: number }[] = []
  for (const { topic, partition, offset } of offsets.all()) {
    if (reads?.has(topic)) continue
    const due = offset.expireTimestamp ?? since(offset) + retentionMs
    if (now >= due) expired.push({ topic, partition })
  }
  return expired
}

/**
 * Returns a function that returns the start of an offset's retention time. Returns null if no
 * offset of the group may expire now.
 */
function baseOf(group: ClassicGroup): ((o: CommittedOffset) => number) | null {
  const sinceCommit = (o: CommittedOffset) => o.commitTimestamp
  if (group.protocolType === null) return sinceCommit
  if (group.state === 'Empty')
    return group.stateTimestamp === -1 ? sinceCommit : o => Math.max(group.stateTimestamp, o.commitTimestamp)
  return group.state === 'Stable' && group.topics !== null ? sinceCommit : null
}
