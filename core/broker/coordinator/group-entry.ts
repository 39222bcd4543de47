import type { Timed } from './deadlines.ts'
import type { ClassicGroup } from './group/classic-group.ts'
import { NO_BYTES } from './group/types.ts'
import { CommittedOffsets } from './offsets/committed-offsets.ts'

/** A group of the coordinator: its membership and its committed offsets. */
export class GroupEntry implements Timed {
  readonly groupId: string
  readonly group: ClassicGroup
  readonly offsets: CommittedOffsets
  /**
   * Whether the log contains the group's metadata. If it does, removing the group needs a
   * tombstone.
   */
  persisted: boolean
  /**
   * Whether the group was loaded or has committed offsets. As in Kafka, such a group is listed
   * until the next check for expired offsets, even if it is unused.
   */
  listed = false
  /** The number of the group's writes in progress. */
  writes = 0
  /** Resolves when all writes in progress have been applied or have failed. */
  written: Promise<void> = Promise.resolve()
  /**
   * Whether the group's tombstones are being written. Until they are written, clients must retry.
   */
  deleting = false
  dueAt = Number.POSITIVE_INFINITY
  heapIndex = -1

  constructor(groupId: string, group: ClassicGroup, offsets = new CommittedOffsets(), persisted = false) {
    this.groupId = groupId
    this.group = group
    this.offsets = offsets
    this.persisted = persisted
  }

  /** Whether the group has no members, no offsets and no writes in progress. */
  get isUnused(): boolean {
    return this.group.hasNoMembers && this.offsets.size === 0 && this.writes === 0
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
 * Returns the description of a group. As in Kafka, the description contains the protocol and the
 * members' metadata only while the group is stable. It always contains the members' last
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
