/** The states of a classic group, in the words that ListGroups and DescribeGroups use. */
export type GroupState = 'Empty' | 'PreparingRebalance' | 'CompletingRebalance' | 'Stable' | 'Dead'

/** A protocol that a member speaks: for consumers the name of an assignor and its encoded subscription. */
export interface MemberProtocol {
  readonly name: string
  readonly metadata: Buffer
}

/** JoinGroup as the state machine sees it. Times in milliseconds. */
export interface JoinRequest {
  readonly memberId: string
  readonly groupInstanceId: string | null
  readonly clientId: string
  readonly clientHost: string
  readonly sessionTimeoutMs: number
  readonly rebalanceTimeoutMs: number
  readonly protocolType: string
  readonly protocols: readonly MemberProtocol[]
  /** The id that a member without one gets. */
  readonly newMemberId: string
  /** From v4: a dynamic member must come back with the id that it was given, so that lost answers leave no ghosts. */
  readonly requireKnownMemberId: boolean
  /** From v9: a static leader that was replaced is told the members and to skip the assignment (KIP-814). */
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
  /** Null before v5: not checked. */
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

/** Whoever waits for an answer. The machine never calls it: it hands it back in an effect. */
export type Waiter<T> = (reply: T) => void

/** What a group's record in `__consumer_offsets` holds of a member. */
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

/** What a group's record in `__consumer_offsets` holds: GroupMetadataValue. */
export interface GroupSnapshot {
  readonly protocolType: string
  readonly generation: number
  readonly protocol: string | null
  readonly leader: string | null
  /** When the group came into its state, milliseconds since the epoch; -1 unknown. */
  readonly currentStateTimestamp: number
  readonly members: readonly MemberSnapshot[]
}

/** What the machine wants done, in order. */
export type GroupEffect =
  | { readonly kind: 'join'; readonly to: Waiter<JoinReply>; readonly reply: JoinReply }
  | { readonly kind: 'sync'; readonly to: Waiter<SyncReply>; readonly reply: SyncReply }
  /** Append the group's record, then call `persisted(ticket, code)`. */
  | { readonly kind: 'persist'; readonly ticket: number; readonly snapshot: GroupSnapshot }
  /** Worth a line in the log. */
  | { readonly kind: 'note'; readonly text: string }

/** The broker's settings for groups, by Kafka's names. Times in milliseconds. */
export interface GroupSettings {
  /** `group.initial.rebalance.delay.ms`. Default 3000. */
  readonly initialRebalanceDelayMs: number
  /** `group.max.size`. Default 2147483647. */
  readonly maxSize: number
}

export const NO_BYTES: Buffer = Buffer.alloc(0)
