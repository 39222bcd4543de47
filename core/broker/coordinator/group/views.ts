import { subscribedTopics } from './consumer-protocol.ts'
import type { Member } from './member.ts'
import type { Membership } from './membership.ts'
import { type GroupSnapshot, type JoinReply, NO_BYTES, type SyncReply } from './types.ts'

/** The values that the members of a group have agreed on. Responses and records include them. */
export interface Agreement {
  readonly generationId: number
  readonly protocolType: string | null
  readonly protocolName: string | null
}

/**
 * Returns a successful JoinGroup response. Only the leader's response lists all members with their
 * metadata.
 */
export function joinReply(a: Agreement, members: Membership, member: Member, asLeader: boolean): JoinReply {
  const describe = (m: Member) => ({
    memberId: m.memberId,
    groupInstanceId: m.groupInstanceId,
    metadata: m.metadata(a.protocolName),
  })
  return {
    errorCode: 0,
    generationId: a.generationId,
    protocolType: a.protocolType,
    protocolName: a.protocolName,
    leader: members.leaderId ?? '',
    skipAssignment: false,
    memberId: member.memberId,
    members: asLeader ? Array.from(members.all(), describe) : [],
  }
}

/** Returns a JoinGroup response with an error. */
export function joinError(errorCode: number, memberId: string): JoinReply {
  const nothing = { generationId: -1, protocolType: null, protocolName: null, leader: '', skipAssignment: false }
  return { ...nothing, errorCode, memberId, members: [] }
}

/** Returns a SyncGroup response, with or without an error code. */
export function syncReply(a: Agreement, errorCode: number, assignment: Buffer): SyncReply {
  if (errorCode !== 0) return { errorCode, protocolType: null, protocolName: null, assignment: NO_BYTES }
  return { errorCode, protocolType: a.protocolType, protocolName: a.protocolName, assignment }
}

/** Returns the group's record with the assignments that `assignmentOf` returns. */
export function groupSnapshot(
  a: Agreement,
  members: Membership,
  currentStateTimestamp: number,
  assignmentOf: (m: Member) => Buffer,
): GroupSnapshot {
  return {
    protocolType: a.protocolType ?? '',
    generation: a.generationId,
    protocol: a.protocolName,
    leader: members.leaderId,
    currentStateTimestamp,
    members: Array.from(members.all(), m => ({
      memberId: m.memberId,
      groupInstanceId: m.groupInstanceId,
      clientId: m.clientId,
      clientHost: m.clientHost,
      rebalanceTimeout: m.rebalanceTimeoutMs,
      sessionTimeout: m.sessionTimeoutMs,
      subscription: m.metadata(a.protocolName),
      assignment: assignmentOf(m),
    })),
  }
}

/**
 * Returns the topics of all subscriptions. Returns null if the members are not consumers or if a
 * subscription cannot be decoded.
 */
export function topicsOf(a: Agreement, members: Membership): ReadonlySet<string> | null {
  if (a.protocolType !== 'consumer' || a.protocolName === null) return null
  const topics = new Set<string>()
  for (const m of members.all()) {
    const subscribed = subscribedTopics(m.metadata(a.protocolName))
    if (!subscribed) return null
    for (const t of subscribed) topics.add(t)
  }
  return topics
}
