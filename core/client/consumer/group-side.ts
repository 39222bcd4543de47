import { ErrorCode } from '../../protocol/error-codes.ts'
import type { Cluster } from '../cluster/cluster.ts'
import { clientErrors } from '../errors.ts'
import type { MemberSubscription, RebalanceProtocol } from '../group/assignors/assignor.ts'
import { assignors } from '../group/assignors/index.ts'
import {
  decodeAssignment,
  decodeSubscription,
  encodeAssignment,
  encodeSubscription,
} from '../group/consumer-protocol.ts'
import type { GroupCoordinator } from '../group/coordinator.ts'
import { type GroupMember, type GroupProtocol, type Joined, Membership } from '../group/membership.ts'
import { type Committer, NO_MEMBER } from '../group/offset-store.ts'
import type { AssignorName, GroupMetadata, TopicPartition } from '../types.ts'
import type { ConsumerSettings } from './options.ts'
import type { Subscription } from './subscription.ts'

export interface GroupSideEvents {
  /**
   * Called before partitions are revoked. Commits their offsets if `enable.auto.commit` is set.
   * Must not throw.
   */
  beforeRevoke(partitions: readonly TopicPartition[]): Promise<void>
  onChange(): void
}

/**
 * The consumer's part in the group protocol. Sends the subscription, computes the assignments if
 * this member is the leader, and applies the member's own assignment.
 */
export class GroupSide implements GroupProtocol {
  readonly protocolType = 'consumer'
  readonly membership: Membership
  readonly #settings: ConsumerSettings
  readonly #cluster: Cluster
  readonly #groupId: string
  readonly #subscription: Subscription
  readonly #events: GroupSideEvents
  readonly #rebalance: RebalanceProtocol
  /**
   * The last assignment and its generation. The sticky assignors send them with the subscription.
   */
  #lastAssignment: readonly TopicPartition[] | null = null
  #lastGeneration = -1
  /**
   * The partition counts on which the leader based the assignment. Null if this member is not the
   * leader.
   */
  #assignedFrom: Map<string, number> | null = null
  /** The topics of all members. The leader also keeps the metadata of these topics up to date. */
  #groupTopics: ReadonlySet<string> = new Set()
  #joinedTopics: ReadonlySet<string> | null = null

  constructor(
    settings: ConsumerSettings,
    cluster: Cluster,
    coordinator: GroupCoordinator,
    subscription: Subscription,
    events: GroupSideEvents,
  ) {
    this.#settings = settings
    this.#cluster = cluster
    this.#groupId = coordinator.groupId
    this.#subscription = subscription
    this.#events = events
    this.#rebalance = settings.assignors.every(a => assignors[a].protocol === 'cooperative') ? 'cooperative' : 'eager'
    const { sessionTimeoutMs, heartbeatIntervalMs, maxPollIntervalMs, groupInstanceId } = settings
    this.membership = new Membership(
      coordinator,
      this,
      {
        sessionTimeoutMs,
        heartbeatIntervalMs,
        maxPollIntervalMs,
        groupInstanceId,
        rebalanceTimeoutMs: maxPollIntervalMs,
      },
      () => events.onChange(),
    )
    cluster.onUpdate(() => this.#onMetadata())
  }

  /** The member that commits offsets; null if the group has removed this member. */
  get committer(): Committer | null {
    const { state } = this.membership
    if (!this.#subscription.isGroup) return NO_MEMBER
    if (!state.isMember) return null
    return { generation: state.generation, memberId: state.memberId, groupInstanceId: this.#settings.groupInstanceId }
  }

  /** The member's identity in the group; null if it is not a member. */
  get identity(): GroupMetadata | null {
    const { generation, memberId, isMember } = this.membership.state
    if (!isMember) return null
    return {
      groupId: this.#groupId,
      generationId: generation,
      memberId,
      groupInstanceId: this.#settings.groupInstanceId,
    }
  }

  /** The pending join; null if no join is in progress. */
  get joining(): { readonly memberId: string } | null {
    const { phase, memberId } = this.membership.state
    return phase === 'joining' || phase === 'syncing' ? { memberId } : null
  }

  /** Called when the user has changed the subscription. */
  subscriptionChanged(): void {
    this.#track()
    if (this.#joinedTopics) this.membership.requestRejoin('the subscription has changed')
  }

  metadata(): { name: AssignorName; metadata: Buffer }[] {
    const { state } = this.membership
    const { topics } = this.#subscription
    this.#joinedTopics = topics
    return this.#settings.assignors.map(name => ({
      name,
      metadata: encodeSubscription({
        topics: [...topics],
        userData: assignors[name].userData(this.#lastAssignment, this.#lastGeneration),
        ownedPartitions: this.#subscription.list(),
        generationId: state.generation,
        rackId: this.#settings.clientRack === '' ? null : this.#settings.clientRack,
      }),
    }))
  }

  async assign(protocol: string, list: readonly GroupMember[]): Promise<Map<string, Buffer>> {
    const assignor = this.#assignorOf(protocol)
    const members = new Map<string, MemberSubscription>()
    for (const m of list) members.set(m.memberId, decodeSubscription(m.metadata, m.groupInstanceId))
    const topics = new Set([...members.values()].flatMap(m => m.topics))
    this.#groupTopics = topics
    if (this.#track() || [...topics].some(t => !this.#cluster.metadata.topic(t))) {
      // Topics that are missing after this refresh get no partitions. The group rebalances when
      // they appear.
      await this.#cluster.retry('fetching metadata for the assignment', this.#settings.maxPollIntervalMs, signal =>
        this.#cluster.refresh(signal),
      )
    }
    const counts = this.#countsOf(topics)
    this.#assignedFrom = counts
    const existing = new Map([...counts].filter(([, n]) => n > 0))
    const assignment = assignor.assign(existing, members)
    this.#settings.common.logger.debug(`Assigned by ${protocol}: ${describe(assignment)}`)
    return new Map([...assignment].map(([id, partitions]) => [id, encodeAssignment(partitions)]))
  }

  async onPrepare(lost: boolean): Promise<void> {
    this.#assignedFrom = null
    const owned = this.#subscription.list()
    if (owned.length === 0) return
    if (lost) {
      this.#settings.common.logger.info(`Lost ${owned.length} partitions: the group has removed this member`)
      await this.#revoke(owned, true)
    } else if (this.#rebalance === 'eager') {
      await this.#revoke(owned, false)
    } else {
      const unwanted = owned.filter(tp => !this.#subscription.topics.has(tp.topic))
      if (unwanted.length > 0) await this.#revoke(unwanted, false)
    }
  }

  async onJoined(joined: Joined): Promise<void> {
    this.#assignorOf(joined.protocol)
    if (!joined.isLeader) {
      this.#assignedFrom = null
      this.#groupTopics = new Set()
      this.#track()
    }
    const assigned = decodeAssignment(joined.assignment)
    if (assigned.some(tp => !this.#subscription.topics.has(tp.topic))) {
      this.membership.requestRejoin('the subscription has changed since the assignment')
      return
    }
    this.#lastAssignment = assigned
    this.#lastGeneration = joined.generation
    const keyOf = (tp: TopicPartition) => `${tp.topic}:${tp.partition}`
    const next = new Set(assigned.map(keyOf))
    const before = this.#subscription.list()
    const owned = new Set(before.map(keyOf))
    const revoked = before.filter(tp => !next.has(keyOf(tp)))
    if (revoked.length > 0) {
      await this.#revoke(revoked, false)
      this.membership.requestRejoin('partitions were revoked and can be assigned to other members')
    }
    const added = assigned.filter(tp => !owned.has(keyOf(tp)))
    this.#subscription.assign(assigned)
    this.#settings.common.logger.info(
      `Group ${this.#settings.groupId}, generation ${joined.generation}: ${assigned.length} partitions, ${added.length} of them new`,
    )
    await this.#subscription.listener?.onPartitionsAssigned?.(added)
  }

  /** Revokes all partitions, before the consumer leaves the group. */
  async release(): Promise<void> {
    const owned = this.#subscription.list()
    const { lost } = this.membership.state
    this.membership.state.lost = false
    if (owned.length > 0 && this.#subscription.isGroup) await this.#revoke(owned, lost)
  }

  /** Clears the state of the membership. The next subscription joins the group as a new member. */
  reset(): void {
    this.#joinedTopics = null
    this.#assignedFrom = null
    this.#groupTopics = new Set()
  }

  /** Sets the subscribed topics to the existing topics that match the pattern. */
  resolvePattern(): void {
    const { pattern } = this.#subscription
    if (!pattern) return
    const matching = [...this.#cluster.metadata.topics.values()]
      .filter(t => (!t.internal || !this.#settings.excludeInternalTopics) && t.errorCode === 0 && pattern.test(t.name))
      .map(t => t.name)
    const known = this.#subscription.topics
    if (matching.length === known.size && matching.every(t => known.has(t))) return
    this.#subscription.topics = new Set(matching)
    if (this.#joinedTopics) this.membership.requestRejoin('the topics that match the pattern have changed')
  }

  /** Calls the user's listener, then removes the partitions from the assignment. */
  async #revoke(partitions: readonly TopicPartition[], lost: boolean): Promise<void> {
    const { listener } = this.#subscription
    try {
      if (!lost) await this.#events.beforeRevoke(partitions)
      if (lost && listener?.onPartitionsLost) await listener.onPartitionsLost(partitions)
      else await listener?.onPartitionsRevoked?.(partitions)
    } finally {
      const gone = new Set(partitions.map(tp => `${tp.topic}:${tp.partition}`))
      this.#subscription.assign(this.#subscription.list().filter(tp => !gone.has(`${tp.topic}:${tp.partition}`)))
    }
  }

  #assignorOf(protocol: string) {
    const name = this.#settings.assignors.find(a => a === protocol)
    if (name) return assignors[name]
    throw clientErrors.create('MR_CLIENT_INCONSISTENT_GROUP', { group: this.#settings.groupId, protocol })
  }

  /** Sets the topics whose metadata is kept up to date. Returns true if some are new. */
  #track(): boolean {
    if (this.#subscription.mode === 'pattern') {
      this.#cluster.setTracked(null)
      return false
    }
    return this.#cluster.setTracked([...this.#subscription.topics, ...this.#groupTopics])
  }

  #countsOf(topics: Iterable<string>): Map<string, number> {
    const counts = new Map<string, number>()
    for (const t of topics) counts.set(t, this.#cluster.metadata.topic(t)?.partitions.length ?? 0)
    return counts
  }

  #onMetadata(): void {
    this.resolvePattern()
    const from = this.#assignedFrom
    if (!from || !this.membership.state.isMember) return
    for (const [topic, count] of from) {
      const state = this.#cluster.metadata.topics.get(topic)
      const passing = state && state.errorCode !== 0 && state.errorCode !== ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
      if (passing || (state?.partitions.length ?? 0) === count) continue
      this.#assignedFrom = null
      this.membership.requestRejoin(`the partitions of ${topic} have changed`)
      return
    }
  }
}

function describe(assignment: ReadonlyMap<string, readonly TopicPartition[]>): string {
  return [...assignment]
    .map(([id, list]) => `${id}=[${list.map(tp => `${tp.topic}-${tp.partition}`).join(' ')}]`)
    .join(', ')
}
