import type { ClassicGroup } from '../group/classic-group.ts'
import type { CommittedOffset, CommittedOffsets } from './committed-offsets.ts'

/**
 * Which offsets of a group are to be let go, by Kafka's rules (KIP-211): of a group without members those that are older than the
 * retention since it became empty; of a group that never had members since their commit; of consumers those of topics that
 * nobody in the group reads any more, since their commit. Milliseconds.
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

/** From when the retention counts; null when nothing of the group may expire now. */
function baseOf(group: ClassicGroup): ((o: CommittedOffset) => number) | null {
  const sinceCommit = (o: CommittedOffset) => o.commitTimestamp
  if (group.protocolType === null) return sinceCommit
  if (group.state === 'Empty')
    return group.stateTimestamp === -1 ? sinceCommit : o => Math.max(group.stateTimestamp, o.commitTimestamp)
  return group.state === 'Stable' && group.topics !== null ? sinceCommit : null
}
