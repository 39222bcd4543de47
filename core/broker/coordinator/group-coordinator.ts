import { randomUUID } from 'node:crypto'
import { timerMs } from '../../common/async/timer.ts'
import { ErrorCode } from '../../protocol/index.ts'
import type { ImageDelta, MetadataImage, TopicImage } from '../quorum/image.ts'
import type { BaseServices } from '../services.ts'
import { Alarm, steadyClock } from './clock.ts'
import { Deadlines } from './deadlines.ts'
import type { JoinReply, JoinRequest, LeaveRequest, MemberProtocol, SyncReply, SyncRequest } from './group/types.ts'
import { joinRefusal, syncReply } from './group/views.ts'
import { descriptionOf, type GroupDescription, type GroupEntry, type GroupListing, listingOf } from './group-entry.ts'
import { groupPartition } from './group-partition.ts'
import type { CommittedOffset } from './offsets/committed-offsets.ts'
import { type Committer, GroupShard, type ShardServices, type TopicPartitionOffset } from './shard.ts'

export const OFFSETS_TOPIC = '__consumer_offsets'

const COMPRESSIONS = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const

/** A JoinGroup before the coordinator gave a new member its id. */
export type GroupJoin = Omit<JoinRequest, 'newMemberId'>

/** Every group whose partition of `__consumer_offsets` this broker leads. Methods answer with Kafka's error codes and never throw. */
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
    this.#alarm = new Alarm(this.#clock, () => this.#ring())
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

  /** Begins to load the groups; does not wait for them. */
  start(): void {
    this.#unsubscribe = this.#broker.onImage((image, previous, delta) => this.#onImage(image, previous, delta))
    this.#takeOver(this.#broker.image())
    // Who waits in a join must not hold up the broker's stop.
    this.#broker.signal.addEventListener('abort', () => this.close(), { once: true })
    const every = timerMs(this.#broker.config.values['offsets.retention.check.interval.ms'])
    this.#expiry = setInterval(() => this.#track(this.expireNow()), every)
  }

  /** Answers everyone who waits, takes nothing more, and resolves when nothing is written any more. */
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

  /** The partition that a group lives in: of the topic as it is, or as it will be. */
  partitionOf(groupId: string): number {
    const topic = this.#broker.image().topicsByName.get(OFFSETS_TOPIC)
    const count = topic?.partitions.length || this.#broker.config.values['offsets.topic.num.partitions']
    return groupPartition(groupId, count)
  }

  join(groupId: string, r: GroupJoin): Promise<JoinReply> {
    const shard = groupId === '' ? ErrorCode.INVALID_GROUP_ID : this.#shardOf(groupId)
    if (typeof shard === 'number') return Promise.resolve(joinRefusal(shard, r.memberId))
    const { values } = this.#broker.config
    const { sessionTimeoutMs: timeout } = r
    if (timeout < values['group.min.session.timeout.ms'] || timeout > values['group.max.session.timeout.ms'])
      return Promise.resolve(joinRefusal(ErrorCode.INVALID_SESSION_TIMEOUT, r.memberId))
    if (isTooLarge(r.protocols, this.#maxRecordBytes())) {
      this.#services.logger.warn(
        `Refused a member of group ${groupId}: its metadata is larger than a record of ${OFFSETS_TOPIC} may be`,
      )
      return Promise.resolve(joinRefusal(ErrorCode.MESSAGE_TOO_LARGE, r.memberId))
    }
    const newMemberId = r.memberId === '' ? `${r.groupInstanceId ?? r.clientId}-${randomUUID()}` : ''
    return new Promise(resolve => shard.join(groupId, { ...r, newMemberId }, resolve))
  }

  sync(groupId: string, r: SyncRequest): Promise<SyncReply> {
    const shard = groupId === '' ? ErrorCode.INVALID_GROUP_ID : this.#shardOf(groupId)
    if (typeof shard !== 'number') return new Promise(resolve => shard.sync(groupId, r, resolve))
    const nothing = { generationId: -1, protocolType: null, protocolName: null }
    // To someone in the middle of a rebalance the loading of its group is nothing but another rebalance.
    const code = shard === ErrorCode.COORDINATOR_LOAD_IN_PROGRESS ? ErrorCode.REBALANCE_IN_PROGRESS : shard
    return Promise.resolve(syncReply(nothing, code, Buffer.alloc(0)))
  }

  heartbeat(groupId: string, memberId: string, groupInstanceId: string | null, generationId: number): number {
    if (groupId === '') return ErrorCode.INVALID_GROUP_ID
    const shard = this.#shardOf(groupId)
    // While the group is loading nobody can say that the member is not in it.
    if (shard === ErrorCode.COORDINATOR_LOAD_IN_PROGRESS) return ErrorCode.NONE
    return typeof shard === 'number' ? shard : shard.heartbeat(groupId, memberId, groupInstanceId, generationId)
  }

  /** An error code for all, or one for each. */
  leave(groupId: string, leavers: readonly LeaveRequest[]): number | number[] {
    const shard = groupId === '' ? ErrorCode.INVALID_GROUP_ID : this.#shardOf(groupId)
    return typeof shard === 'number' ? shard : shard.leave(groupId, leavers)
  }

  commit(groupId: string, who: Committer, offsets: readonly TopicPartitionOffset[]): Promise<number> {
    const shard = this.#shardOf(groupId)
    if (typeof shard !== 'number') return shard.commit(groupId, who, offsets)
    return Promise.resolve(shard)
  }

  /** A group's offsets: an error code, or a way to look at them. A group that is not there has none. */
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

  /** All groups here, or COORDINATOR_LOAD_IN_PROGRESS while some are not known yet. */
  list(): number | GroupListing[] {
    const groups: GroupListing[] = []
    for (const shard of this.#shards.values()) {
      if (!shard.loaded) return ErrorCode.COORDINATOR_LOAD_IN_PROGRESS
      for (const entry of shard.groups) groups.push(listingOf(entry))
    }
    return groups
  }

  /** Removes what `offsets.retention.minutes` lets go; runs by itself every `offsets.retention.check.interval.ms`. */
  async expireNow(): Promise<void> {
    const retentionMs = this.#broker.config.values['offsets.retention.minutes'] * 60_000
    for (const shard of [...this.#shards.values()]) await shard.expire(retentionMs)
  }

  /** Resolves when every partition that is ours is loaded. */
  async loaded(): Promise<void> {
    await Promise.all([...this.#shards.values()].map(s => s.load()))
  }

  /** What a record of the offsets topic may take, in bytes. */
  #maxRecordBytes(): number {
    return this.#broker.logs.get(OFFSETS_TOPIC, 0)?.config.maxMessageBytes ?? Number.POSITIVE_INFINITY
  }

  #shardOf(groupId: string): GroupShard | number {
    if (this.#closing) return ErrorCode.COORDINATOR_NOT_AVAILABLE
    const shard = this.#shards.get(this.partitionOf(groupId))
    if (!shard) return ErrorCode.NOT_COORDINATOR
    return shard.loaded ? shard : ErrorCode.COORDINATOR_LOAD_IN_PROGRESS
  }

  #ring(): void {
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

  /** Loads the partitions that have become ours and lets go of those that are not any more. */
  #takeOver(image: MetadataImage): void {
    const topic: TopicImage | undefined = image.topicsByName.get(OFFSETS_TOPIC)
    const ours = new Map(
      (topic?.partitions ?? []).filter(p => p.leader === this.#broker.nodeId).map(p => [p.partition, p]),
    )
    for (const [partition, shard] of this.#shards) {
      const p = ours.get(partition)
      if (p) {
        shard.leaderEpoch = p.leaderEpoch
        continue
      }
      this.#shards.delete(partition)
      this.#track(shard.close())
    }
    const added: GroupShard[] = []
    for (const [partition, p] of ours) {
      if (this.#shards.has(partition)) continue
      const log = () => this.#broker.log(OFFSETS_TOPIC, partition)
      const shard = new GroupShard(partition, log, p.leaderEpoch, this.#services)
      this.#shards.set(partition, shard)
      added.push(shard)
    }
    for (const shard of added) this.#track(shard.load())
  }

  /** Keeps hold of work that nobody waits for, so that `close` does; what fails is logged. */
  #track(work: Promise<void>): void {
    const done: Promise<void> = work
      .catch(error => this.#services.logger.error('Work on groups failed', error))
      .finally(() => this.#background.delete(done))
    this.#background.add(done)
  }
}

/** What a protocol takes in memory beside its name and metadata, about, in bytes. */
const PROTOCOL_OVERHEAD = 64

/** A member of whom one protocol's metadata could never be written down, or all together are far beyond it. */
function isTooLarge(protocols: readonly MemberProtocol[], max: number): boolean {
  let sum = 0
  for (const { name, metadata } of protocols) {
    if (metadata.length > max) return true
    sum += name.length + metadata.length + PROTOCOL_OVERHEAD
  }
  return sum > 4 * max
}

/** Reads a group's offsets. */
export interface OffsetsView {
  find(topic: string, partition: number, topicId: string): CommittedOffset | undefined
  topics(): Iterable<[string, ReadonlyMap<number, CommittedOffset>]>
}

const NO_OFFSETS: OffsetsView = { find: () => undefined, topics: () => [] }
