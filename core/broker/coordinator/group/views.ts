import { subscribedTopics } from './consumer-protocol.ts'
import type { Member } from './member.ts'
import type { Membership } from './membership.ts'
import { type GroupSnapshot, type JoinReply, NO_BYTES, type SyncReply } from './types.ts'

/**
 * The generation, protocol and leader that the members of a group agreed on, as responses and
 * records show them.
 */
export interface Agreement {
  readonly generationId: number
  readonly protocolType: string | null
  readonly protocolName: string | null
}

/**
 * A successful JoinGroup response. Only the leader's response lists all members with their
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

/** A JoinGroup error response. */
export function joinError(errorCode: number, memberId: string): JoinReply {
  const nothing = { generationId: -1, protocolType: null, protocolName: null, leader: '', skipAssignment: false }
  return { ...nothing, errorCode, memberId, members: [] }
}

/** A SyncGroup response, with or without an error. */
export function syncReply(a: Agreement, errorCode: number, assignment: Buffer): SyncReply {
  if (errorCode !== 0) return { errorCode, protocolType: null, protocolName: null, assignment: NO_BYTES }
  return { errorCode, protocolType: a.protocolType, protocolName: a.protocolName, assignment }
}

/** The group's record with these assignments. */
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
 * The topics of all subscriptions. Null if the members are not consumers, or if one subscription is
 * unreadable.
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
