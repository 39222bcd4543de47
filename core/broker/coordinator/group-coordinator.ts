import { randomUUID } from 'node:crypto'
import { timerMs } from '../../common/async/timer.ts'
import { ErrorCode } from '../../protocol/index.ts'
import type { ImageDelta, MetadataImage, TopicImage } from '../quorum/image.ts'
import type { BaseServices } from '../services.ts'
import { Alarm, steadyClock } from './clock.ts'
import { Deadlines } from './deadlines.ts'
import type { JoinReply, JoinRequest, LeaveRequest, MemberProtocol, SyncReply, SyncRequest } from './group/types.ts'
import { joinError, syncReply } from './group/views.ts'
import { descriptionOf, type GroupDescription, type GroupEntry, type GroupListing, listingOf } from './group-entry.ts'
import { groupPartition } from './group-partition.ts'
import type { CommittedOffset } from './offsets/committed-offsets.ts'
import { type Committer, GroupShard, type ShardServices, type TopicPartitionOffset } from './shard.ts'

export const OFFSETS_TOPIC = '__consumer_offsets'

const COMPRESSIONS = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const

/** A JoinGroup request without the id that the coordinator assigns to a new member. */
export type GroupJoin = Omit<JoinRequest, 'newMemberId'>

/**
 * Manages the groups of all partitions of `__consumer_offsets` that this broker leads. The methods
 * return Kafka's error codes and never throw.
 */
export class GroupCoordinator {
  readonly #broker: BaseServices
  readonly #shards = new Map<number, GroupShard>()
  readonly #deadlines = new Deadlines<GroupEntry>()
  readonly #clock: () => number
  readonly #alarm: Alarm
  readonly #services: ShardServices
  readonly #background = new Set<Promise<void>>()
  #expiry: NodeJS.Timeout | null = null
  #unsubscribe: (() => void) | null = null
  #closing: Promise<void> | null = null

  constructor(broker: BaseServices) {
    this.#broker = broker
    const { values } = broker.config
    this.#clock = steadyClock(broker.now())
    this.#alarm = new Alarm(this.#clock, () => this.#onDeadline())
    this.#services = {
      settings: {
        initialRebalanceDelayMs: values['group.initial.rebalance.delay.ms'],
        maxSize: values['group.max.size'],
      },
      deadlines: this.#deadlines,
      clock: this.#clock,
      now: () => broker.now(),
      logger: broker.logger.withContext('[GroupCoordinator] '),
      loadBufferSize: values['offsets.load.buffer.size'],
      commitLog: {
        timeoutMs: values['offsets.commit.timeout.ms'],
        compression: COMPRESSIONS[values['offsets.topic.compression.codec']] ?? 'none',
      },
      deadlineMoved: () => this.#alarm.set(this.#deadlines.next),
    }
  }

  /** Starts to load the groups, without waiting for the result. */
  start(): void {
    this.#unsubscribe = this.#broker.onImage((image, previous, delta) => this.#onImage(image, previous, delta))
    this.#takeOver(this.#broker.image())
    // Close as soon as the broker begins to stop, because waiting JoinGroup requests would delay
    // the stop.
    const closeEarly = () => {
      this.close().catch((error: unknown) => this.#broker.logger.error('Cannot close the group coordinator', error))
    }
    this.#broker.signal.addEventListener('abort', closeEarly, { once: true })
    const every = timerMs(this.#broker.config.values['offsets.retention.check.interval.ms'])
    this.#expiry = setInterval(() => this.#track(this.expireNow()), every)
  }

  /** Answers all waiting requests and rejects new ones. Resolves when all writes are complete. */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    this.#unsubscribe?.()
    this.#alarm.close()
    if (this.#expiry) clearInterval(this.#expiry)
    await Promise.all([...this.#shards.values()].map(s => s.close()))
    await Promise.all(this.#background)
    this.#shards.clear()
  }

  /**
   * Returns the index of the partition of `__consumer_offsets` that stores a group. If that topic
   * does not exist yet, it is assumed to have `offsets.topic.num.partitions` partitions.
   */
  partitionOf(groupId: string): number {
    const topic = this.#broker.image().topicsByName.get(OFFSETS_TOPIC)
    const count = topic?.partitions.length || this.#broker.config.values['offsets.topic.num.partitions']
    return groupPartition(groupId, count)
  }

  join(groupId: string, r: GroupJoin): Promise<JoinReply> {
    const shard = groupId === '' ? ErrorCode.INVALID_GROUP_ID : this.#shardOf(groupId)
    if (typeof shard === 'number') return Promise.resolve(joinError(shard, r.memberId))
    const { values } = this.#broker.config
    const { sessionTimeoutMs: timeout } = r
    if (timeout < values['group.min.session.timeout.ms'] || timeout > values['group.max.session.timeout.ms'])
      return Promise.resolve(joinError(ErrorCode.INVALID_SESSION_TIMEOUT, r.memberId))
    if (isTooLarge(r.protocols, this.#maxRecordBytes())) {
      this.#services.logger.warn(
        `Rejected a member of group ${groupId}: its metadata is larger than the largest record of ${OFFSETS_TOPIC}`,
      )
      return Promise.resolve(joinError(ErrorCode.MESSAGE_TOO_LARGE, r.memberId))
    }
    const newMemberId = r.memberId === '' ? `${r.groupInstanceId ?? r.clientId}-${randomUUID()}` : ''
    return new Promise(resolve => shard.join(groupId, { ...r, newMemberId }, resolve))
  }

  sync(groupId: string, r: SyncRequest): Promise<SyncReply> {
    const shard = groupId === '' ? ErrorCode.INVALID_GROUP_ID : this.#shardOf(groupId)
    if (typeof shard !== 'number') return new Promise(resolve => shard.sync(groupId, r, resolve))
    const noGroup = { generationId: -1, protocolType: null, protocolName: null }
    // As in Kafka, a client that syncs must rejoin if its group is still being loaded.
    const code = shard === ErrorCode.COORDINATOR_LOAD_IN_PROGRESS ? ErrorCode.REBALANCE_IN_PROGRESS : shard
    return Promise.resolve(syncReply(noGroup, code, Buffer.alloc(0)))
  }

  heartbeat(groupId: string, memberId: string, groupInstanceId: string | null, generationId: number): number {
    if (groupId === '') return ErrorCode.INVALID_GROUP_ID
    const shard = this.#shardOf(groupId)
    // While the group is loading, the coordinator cannot know whether the member belongs to it.
    if (shard === ErrorCode.COORDINATOR_LOAD_IN_PROGRESS) return ErrorCode.NONE
    return typeof shard === 'number' ? shard : shard.heartbeat(groupId, memberId, groupInstanceId, generationId)
  }

  /** Returns one error code for each leaver, or a single error code for the whole request. */
  leave(groupId: string, leavers: readonly LeaveRequest[]): number | number[] {
    const shard = groupId === '' ? ErrorCode.INVALID_GROUP_ID : this.#shardOf(groupId)
    return typeof shard === 'number' ? shard : shard.leave(groupId, leavers)
  }

  commit(groupId: string, who: Committer, offsets: readonly TopicPartitionOffset[]): Promise<number> {
    const shard = this.#shardOf(groupId)
    if (typeof shard !== 'number') return shard.commit(groupId, who, offsets)
    return Promise.resolve(shard)
  }

  /**
   * Returns the committed offsets of a group, or an error code. A nonexistent group has no offsets.
   */
  offsets(groupId: string): number | OffsetsView {
    const shard = this.#shardOf(groupId)
    return typeof shard === 'number' ? shard : (shard.get(groupId)?.offsets ?? NO_OFFSETS)
  }

  async deleteOffsets(
    groupId: string,
    which: readonly { topic: string; partition: number }[],
  ): Promise<number | { subscribed: ReadonlySet<string> }> {
    const shard = groupId === '' ? ErrorCode.INVALID_GROUP_ID : this.#shardOf(groupId)
    if (typeof shard === 'number') return shard
    const entry = shard.get(groupId)
    if (!entry) return ErrorCode.GROUP_ID_NOT_FOUND
    if (entry.group.state !== 'Empty' && entry.group.protocolType !== 'consumer') return ErrorCode.NON_EMPTY_GROUP
    const subscribed = new Set(which.map(w => w.topic).filter(t => entry.group.isSubscribedTo(t)))
    const code = await shard.deleteOffsets(
      entry,
      which.filter(w => !subscribed.has(w.topic)),
    )
    return code === ErrorCode.NONE ? { subscribed } : code
  }

  deleteGroup(groupId: string): Promise<number> {
    const shard = this.#shardOf(groupId)
    return typeof shard === 'number' ? Promise.resolve(shard) : shard.deleteGroup(groupId)
  }

  describe(groupId: string): number | GroupDescription {
    const shard = this.#shardOf(groupId)
    if (typeof shard === 'number') return shard
    const group = shard.get(groupId)?.group
    return group && group.state !== 'Dead' ? descriptionOf(group) : ErrorCode.GROUP_ID_NOT_FOUND
  }

  /**
   * Returns the number of groups in each state, and the number of committed offsets of all groups.
   */
  counts(): { readonly byState: ReadonlyMap<string, number>; readonly offsets: number } {
    const byState = new Map<string, number>()
    let offsets = 0
    for (const shard of this.#shards.values()) {
      for (const entry of shard.groups) {
        byState.set(entry.group.state, (byState.get(entry.group.state) ?? 0) + 1)
        offsets += entry.offsets.size
      }
    }
    return { byState, offsets }
  }

  /** Returns all groups, or COORDINATOR_LOAD_IN_PROGRESS if a partition is still being loaded. */
  list(): number | GroupListing[] {
    const groups: GroupListing[] = []
    for (const shard of this.#shards.values()) {
      if (!shard.loaded) return ErrorCode.COORDINATOR_LOAD_IN_PROGRESS
      for (const entry of shard.groups) groups.push(listingOf(entry))
    }
    return groups
  }

  /**
   * Removes the offsets that have expired according to `offsets.retention.minutes`. A timer calls
   * this every `offsets.retention.check.interval.ms`.
   */
  async expireNow(): Promise<void> {
    const retentionMs = this.#broker.config.values['offsets.retention.minutes'] * 60_000
    for (const shard of [...this.#shards.values()]) await shard.expire(retentionMs)
  }

  /** Resolves when all partitions that this broker leads are loaded. */
  async loaded(): Promise<void> {
    await Promise.all([...this.#shards.values()].map(s => s.load()))
  }

  /** The maximum size of a record in the offsets topic, in bytes. */
  #maxRecordBytes(): number {
    return this.#broker.logs.get(OFFSETS_TOPIC, 0)?.config.maxMessageBytes ?? Number.POSITIVE_INFINITY
  }

  #shardOf(groupId: string): GroupShard | number {
    if (this.#closing) return ErrorCode.COORDINATOR_NOT_AVAILABLE
    const shard = this.#shards.get(this.partitionOf(groupId))
    if (!shard) return ErrorCode.NOT_COORDINATOR
    return shard.loaded ? shard : ErrorCode.COORDINATOR_LOAD_IN_PROGRESS
  }

  #onDeadline(): void {
    for (;;) {
      const entry = this.#deadlines.pop(this.#clock())
      if (!entry) break
      const shard = this.#shards.get(this.partitionOf(entry.groupId))
      if (shard?.get(entry.groupId) === entry) shard.tick(entry)
    }
    this.#alarm.set(this.#deadlines.next)
  }

  #onImage(image: MetadataImage, previous: MetadataImage, delta: ImageDelta): void {
    if (delta.topicIds.size === 0 || this.#closing) return
    const offsetsTopics = [previous, image].map(i => i.topicsByName.get(OFFSETS_TOPIC)?.id)
    if (offsetsTopics.some(id => id !== undefined && delta.topicIds.has(id))) this.#takeOver(image)
    for (const id of delta.topicIds) {
      const topic = image.topicsById.has(id) ? undefined : previous.topicsById.get(id)
      if (topic === undefined || topic.name === OFFSETS_TOPIC) continue
      this.#services.logger.debug(`Removing the offsets of the deleted topic ${topic.name}`)
      for (const shard of this.#shards.values()) this.#track(shard.topicDeleted(topic.name, topic.id))
    }
  }

  /** Loads the partitions that this broker now leads, and closes those that it no longer leads. */
  #takeOver(image: MetadataImage): void {
    const topic: TopicImage | undefined = image.topicsByName.get(OFFSETS_TOPIC)
    const led = new Map(
      (topic?.partitions ?? []).filter(p => p.leader === this.#broker.nodeId).map(p => [p.partition, p]),
    )
    for (const [partition, shard] of this.#shards) {
      const p = led.get(partition)
      if (p) {
        shard.leaderEpoch = p.leaderEpoch
        continue
      }
      this.#shards.delete(partition)
      this.#track(shard.close())
    }
    const added: GroupShard[] = []
    for (const [partition, p] of led) {
      if (this.#shards.has(partition)) continue
      const log = () => this.#broker.log(OFFSETS_TOPIC, partition)
      const shard = new GroupShard(partition, log, p.leaderEpoch, this.#services)
      this.#shards.set(partition, shard)
      added.push(shard)
    }
    for (const shard of added) this.#track(shard.load())
  }

  /**
   * Registers a background operation, so that `close` waits for it. Logs an error if the operation
   * fails.
   */
  #track(work: Promise<void>): void {
    const done: Promise<void> = work
      .catch(error => this.#services.logger.error('A background operation on groups failed', error))
      .finally(() => this.#background.delete(done))
    this.#background.add(done)
  }
}

/** The approximate memory that a protocol uses besides its name and metadata, in bytes. */
const PROTOCOL_OVERHEAD = 64

/**
 * Whether the metadata of a joining member is too large: the metadata of one protocol exceeds the
 * maximum record size, or the metadata of all protocols together exceeds four times that size.
 */
function isTooLarge(protocols: readonly MemberProtocol[], max: number): boolean {
  let sum = 0
  for (const { name, metadata } of protocols) {
    if (metadata.length > max) return true
    sum += name.length + metadata.length + PROTOCOL_OVERHEAD
  }
  return sum > 4 * max
}

/** A read-only view of a group's offsets. */
export interface OffsetsView {
  find(topic: string, partition: number, topicId: string): CommittedOffset | undefined
  topics(): Iterable<[string, ReadonlyMap<number, CommittedOffset>]>
}

const NO_OFFSETS: OffsetsView = { find: () => undefined, topics: () => [] }
