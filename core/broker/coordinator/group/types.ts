/** The states of a classic group, as ListGroups and DescribeGroups name them. */
export type GroupState = 'Empty' | 'PreparingRebalance' | 'CompletingRebalance' | 'Stable' | 'Dead'

/**
 * A protocol that a member supports. For a consumer, the name is that of its assignor and the
 * metadata is its encoded subscription.
 */
export interface MemberProtocol {
  readonly name: string
  readonly metadata: Buffer
}

/** A JoinGroup request as the state machine receives it. Times are in milliseconds. */
export interface JoinRequest {
  readonly memberId: string
  readonly groupInstanceId: string | null
  readonly clientId: string
  readonly clientHost: string
  readonly sessionTimeoutMs: number
  readonly rebalanceTimeoutMs: number
  readonly protocolType: string
  readonly protocols: readonly MemberProtocol[]
  /** The id that a member without an id gets. */
  readonly newMemberId: string
  /**
   * Whether a new dynamic member must join again with its assigned id. True since v4. If the first
   * response is lost, no unused member remains.
   */
  readonly requireKnownMemberId: boolean
  /**
   * Whether the client supports `skipAssignment`. True since v9. A static leader that restarts then
   * receives the list of members, and must not assign partitions again (KIP-814).
   */
  readonly supportsSkipAssignment: boolean
  readonly reason?: string | null
}

export interface JoinReply {
  readonly errorCode: number
  readonly generationId: number
  readonly protocolType: string | null
  readonly protocolName: string | null
  readonly leader: string
  readonly skipAssignment: boolean
  readonly memberId: string
  readonly members: readonly { memberId: string; groupInstanceId: string | null; metadata: Buffer }[]
}

export interface SyncRequest {
  readonly memberId: string
  readonly groupInstanceId: string | null
  readonly generationId: number
  /** The protocol type. Null before v5, in which case it is not checked. */
  readonly protocolType: string | null
  readonly protocolName: string | null
  readonly assignments: readonly { readonly memberId: string; readonly assignment: Buffer }[]
}

export interface SyncReply {
  readonly errorCode: number
  readonly protocolType: string | null
  readonly protocolName: string | null
  readonly assignment: Buffer
}

export interface LeaveRequest {
  readonly memberId: string
  readonly groupInstanceId: string | null
  readonly reason?: string | null
}

/**
 * A callback for the response to a member. The group never calls it: it returns the callback and
 * the response in an effect, and the caller of the group runs the effect.
 */
export type Waiter<T> = (reply: T) => void

/** A member in a group's record in `__consumer_offsets`. */
export interface MemberSnapshot {
  readonly memberId: string
  readonly groupInstanceId: string | null
  readonly clientId: string
  readonly clientHost: string
  readonly rebalanceTimeout: number
  readonly sessionTimeout: number
  readonly subscription: Buffer
  readonly assignment: Buffer
}

/** A group's record in `__consumer_offsets`: GroupMetadataValue. */
export interface GroupSnapshot {
  readonly protocolType: string
  readonly generation: number
  readonly protocol: string | null
  readonly leader: string | null
  /** When the group entered its state, in milliseconds since the epoch. -1 if unknown. */
  readonly currentStateTimestamp: number
  readonly members: readonly MemberSnapshot[]
}

/** An action that the state machine requests. */
export type GroupEffect =
  | { readonly kind: 'join'; readonly to: Waiter<JoinReply>; readonly reply: JoinReply }
  | { readonly kind: 'sync'; readonly to: Waiter<SyncReply>; readonly reply: SyncReply }
  /** Append the group's record, then call `persisted(ticket, code)`. */
  | { readonly kind: 'persist'; readonly ticket: number; readonly snapshot: GroupSnapshot }
  /** Write a line to the log. */
  | { readonly kind: 'log'; readonly text: string }

/** The broker's group settings, with Kafka's names. Times are in milliseconds. */
export interface GroupSettings {
  /** `group.initial.rebalance.delay.ms`. Default 3000. */
  readonly initialRebalanceDelayMs: number
  /** `group.max.size`. Default 2147483647. */
  readonly maxSize: number
}

export const NO_BYTES: Buffer = Buffer.alloc(0)
