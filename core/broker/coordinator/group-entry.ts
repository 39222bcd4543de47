import type { Timed } from './deadlines.ts'
import type { ClassicGroup } from './group/classic-group.ts'
import { NO_BYTES } from './group/types.ts'
import { CommittedOffsets } from './offsets/committed-offsets.ts'

/** A group as the coordinator keeps it: its membership and its offsets. */
export class GroupEntry implements Timed {
  readonly groupId: string
  readonly group: ClassicGroup
  readonly offsets: CommittedOffsets
  /** Its metadata stands in the log, so that forgetting it takes a tombstone. */
  persisted: boolean
  /** Offsets were committed to it: it is shown until the next look for what has expired, as in Kafka. */
  known = false
  /** Records of it on their way into the log. */
  writes = 0
  /** Resolves when all of those are written and applied, or have failed. */
  written: Promise<void> = Promise.resolve()
  /** Its tombstones are on their way: whoever comes now shall come again. */
  deleting = false
  dueAt = Number.POSITIVE_INFINITY
  heapIndex = -1

  constructor(groupId: string, group: ClassicGroup, offsets = new CommittedOffsets(), persisted = false) {
    this.groupId = groupId
    this.group = group
    this.offsets = offsets
    this.persisted = persisted
  }

  /** There is nothing in it worth keeping in memory or in the log. */
  get isVoid(): boolean {
    return this.group.isVacant && this.offsets.size === 0 && this.writes === 0
  }
}

export interface GroupListing {
  readonly groupId: string
  readonly protocolType: string
  readonly groupState: string
  readonly groupType: 'classic'
}

export function listingOf(entry: GroupEntry): GroupListing {
  const { groupId, group } = entry
  return { groupId, protocolType: group.protocolType ?? '', groupState: group.state, groupType: 'classic' }
}

export interface GroupDescription {
  readonly groupState: string
  readonly protocolType: string
  readonly protocolData: string
  readonly members: readonly {
    readonly memberId: string
    readonly groupInstanceId: string | null
    readonly clientId: string
    readonly clientHost: string
    readonly memberMetadata: Buffer
    readonly memberAssignment: Buffer
  }[]
}

/**
 * Describes a group as Kafka does: member metadata only while it is stable, but always the last
 * assignments.
 */
export function descriptionOf(group: ClassicGroup): GroupDescription {
  const stable = group.state === 'Stable'
  return {
    groupState: group.state,
    protocolType: group.protocolType ?? '',
    protocolData: stable ? (group.protocolName ?? '') : '',
    members: Array.from(group.members, m => ({
      memberId: m.memberId,
      groupInstanceId: m.groupInstanceId,
      clientId: m.clientId,
      clientHost: m.clientHost,
      memberMetadata: stable ? m.metadata(group.protocolName) : NO_BYTES,
      memberAssignment: m.assignment,
    })),
  }
}
