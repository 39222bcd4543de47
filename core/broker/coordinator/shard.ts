import { backoff } from '../../common/async/backoff.ts'
import { sleepOrAbort } from '../../common/async/sleep.ts'
import { messageOf } from '../../common/errors/error-table.ts'
import type { Logger } from '../../common/log.ts'
import { ErrorCode, errorFor } from '../../protocol/index.ts'
import type { PartitionLog } from '../log/types.ts'
import type { Deadlines } from './deadlines.ts'
import { commitWriteError, groupWriteError } from './errors.ts'
import { ClassicGroup } from './group/classic-group.ts'
import type {
  GroupEffect,
  GroupSettings,
  GroupSnapshot,
  JoinReply,
  JoinRequest,
  LeaveRequest,
  SyncReply,
  SyncRequest,
  Waiter,
} from './group/types.ts'
import { joinError, syncReply } from './group/views.ts'
import { GroupEntry } from './group-entry.ts'
import { CommitLog, type CommitLogOptions } from './offsets/commit-log.ts'
import { type CommittedOffset, CommittedOffsets, isSameTopic } from './offsets/committed-offsets.ts'
import { expiredOffsets } from './offsets/expiry.ts'
import { loadPartition } from './offsets/load.ts'
import {
  type CoordinatorRecord,
  groupRecord,
  groupTombstone,
  offsetRecord,
  offsetTombstone,
  type ReadRecord,
} from './offsets/records.ts'

/** The services that all shards of the coordinator share. */
export interface ShardServices {
  readonly settings: GroupSettings
  readonly deadlines: Deadlines<GroupEntry>
  /** The clock for sessions. See `steadyClock`. */
  readonly clock: () => number
  /** The time that records contain, in milliseconds since the epoch. */
  readonly now: () => number
  readonly logger: Logger
  readonly loadBufferSize: number
  readonly commitLog: Omit<CommitLogOptions, 'log' | 'leaderEpoch' | 'now'>
  /** Called after an entry's deadline may have moved to an earlier time. */
  readonly deadlineMoved: () => void
}

/** The member that sends an OffsetCommit. */
export interface Committer {
  readonly memberId: string
  readonly groupInstanceId: string | null
  readonly generationId: number
  /** The error code for a commit with a generation to a group that does not exist. */
  readonly unknownGroupCode: number
}

export interface TopicPartitionOffset {
  readonly topic: string
  readonly partition: number
  readonly offset: CommittedOffset
}

const MAX_LOAD_BACKOFF_MS = 30_000
/** The error code for requests to a group that is being deleted. Clients retry after this error. */
const BUSY = ErrorCode.COORDINATOR_LOAD_IN_PROGRESS

/**
 * The groups of one partition of `__consumer_offsets`. Connects their state machines and offsets
 * with the log.
 */
export class GroupShard {
  readonly partition: number
  readonly #openLog: () => PartitionLog
  readonly #services: ShardServices
  /** Writes the records of the groups to the log. Null until the partition is loaded. */
  #commits: CommitLog | null = null
  readonly #groups = new Map<string, GroupEntry>()
  readonly #stop = new AbortController()
  #loaded = false
  #loading: Promise<void> | null = null
  leaderEpoch: number

  /** `openLog` throws if the partition's log cannot be opened, for example after a disk failure. */
  constructor(partition: number, openLog: () => PartitionLog, leaderEpoch: number, services: ShardServices) {
    this.partition = partition
    this.leaderEpoch = leaderEpoch
    this.#openLog = openLog
    this.#services = services
  }

  /** Whether requests can be answered. False until all records of the partition are read. */
  get loaded(): boolean {
    return this.#loaded
  }

  get groups(): Iterable<GroupEntry> {
    return this.#groups.values()
  }

  get(groupId: string): GroupEntry | undefined {
    return this.#groups.get(groupId)
  }

  /**
   * Loads the partition. Retries with back-off after a failure. Resolves when the partition is
   * loaded or the shard is closed. Never rejects.
   */
  load(): Promise<void> {
    this.#loading ??= this.#loadUntilDone()
    return this.#loading
  }

  /**
   * Closes the shard. Answers waiting requests with NOT_COORDINATOR, so their clients look up the
   * coordinator again.
   */
  async close(): Promise<void> {
    this.#stop.abort()
    this.#loaded = false
    for (const entry of this.#groups.values()) {
      this.#services.deadlines.delete(entry)
      entry.group.close(ErrorCode.NOT_COORDINATOR)
      this.#run(entry, entry.group.takeEffects())
    }
    await this.#commits?.close()
    await this.#loading
    this.#groups.clear()
  }

  join(groupId: string, r: JoinRequest, to: Waiter<JoinReply>): void {
    const entry = this.#groups.get(groupId) ?? (r.memberId === '' ? this.#create(groupId) : undefined)
    if (!entry) to(joinError(ErrorCode.UNKNOWN_MEMBER_ID, r.memberId))
    else if (entry.deleting) to(joinError(BUSY, r.memberId))
    else {
      entry.group.join(r, to, this.#services.clock())
      this.#performEffects(entry)
    }
  }

  sync(groupId: string, r: SyncRequest, to: Waiter<SyncReply>): void {
    const entry = this.#groups.get(groupId)
    if (!entry) {
      const noGroup = { generationId: -1, protocolType: null, protocolName: null }
      to(syncReply(noGroup, ErrorCode.UNKNOWN_MEMBER_ID, Buffer.alloc(0)))
      return
    }
    entry.group.sync(r, to, this.#services.clock())
    this.#performEffects(entry)
  }

  heartbeat(groupId: string, memberId: string, groupInstanceId: string | null, generationId: number): number {
    const group = this.#groups.get(groupId)?.group
    // `#performEffects` is not needed, because a heartbeat can only move the deadline to a later
    // time.
    return group
      ? group.heartbeat(memberId, groupInstanceId, generationId, this.#services.clock())
      : ErrorCode.UNKNOWN_MEMBER_ID
  }

  leave(groupId: string, leavers: readonly LeaveRequest[]): number[] {
    const entry = this.#groups.get(groupId)
    if (!entry) return leavers.map(() => ErrorCode.UNKNOWN_MEMBER_ID)
    const codes = entry.group.leave(leavers, this.#services.clock())
    this.#performEffects(entry)
    return codes
  }

  /** Handles an entry whose deadline has passed. */
  tick(entry: GroupEntry): void {
    entry.group.tick(this.#services.clock())
    this.#performEffects(entry)
  }

  /**
   * Commits offsets for a group. Resolves with NONE when the offsets have been written, or with an
   * error code if they were rejected.
   */
  async commit(groupId: string, who: Committer, offsets: readonly TopicPartitionOffset[]): Promise<number> {
    let entry = this.#groups.get(groupId)
    if (!entry) {
      if (who.generationId >= 0) return who.unknownGroupCode
      entry = this.#create(groupId)
    }
    if (entry.deleting) return BUSY
    const { memberId, groupInstanceId, generationId } = who
    const code = entry.group.checkCommit(memberId, groupInstanceId, generationId, this.#services.clock())
    if (code !== ErrorCode.NONE) return code
    const records = offsets.map(o => offsetRecord(groupId, o.topic, o.partition, o.offset))
    try {
      await this.#write(entry, records, () => {
        entry.listed = true
        for (const o of offsets) entry.offsets.set(o.topic, o.partition, o.offset)
      })
      return ErrorCode.NONE
    } catch (error) {
      this.#services.logger.warn(`Cannot write the offsets of group ${groupId}: ${messageOf(error)}`)
      return commitWriteError(error)
    } finally {
      this.#performEffects(entry)
    }
  }

  /** Deletes committed offsets. Ignores partitions without a committed offset. */
  async deleteOffsets(entry: GroupEntry, which: readonly { topic: string; partition: number }[]): Promise<number> {
    if (entry.deleting) return BUSY
    const existing = which.filter(w => entry.offsets.get(w.topic, w.partition))
    try {
      const records = existing.map(w => offsetTombstone(entry.groupId, w.topic, w.partition))
      await this.#write(entry, records, () => {
        for (const w of existing) entry.offsets.delete(w.topic, w.partition)
      })
      return ErrorCode.NONE
    } catch (error) {
      this.#services.logger.warn(`Cannot delete offsets of group ${entry.groupId}: ${messageOf(error)}`)
      return groupWriteError(error)
    } finally {
      this.#performEffects(entry)
    }
  }

  /** Deletes a group and all its offsets, unless the group has members. */
  async deleteGroup(groupId: string): Promise<number> {
    const entry = this.#groups.get(groupId)
    if (!entry) return ErrorCode.GROUP_ID_NOT_FOUND
    if (entry.group.state !== 'Empty') return ErrorCode.NON_EMPTY_GROUP
    if (entry.deleting) return BUSY
    return this.#remove(entry)
  }

  /** Removes expired offsets, and groups that are then unused. Times are in milliseconds. */
  async expire(retentionMs: number): Promise<void> {
    if (!this.#loaded) return
    const now = this.#services.now()
    for (const entry of [...this.#groups.values()]) {
      // Skip groups with a write in progress: a tombstone written now would also delete the offset
      // of a newer commit.
      if (this.#stop.signal.aborted || entry.deleting || entry.writes > 0) continue
      const expired = expiredOffsets(entry.group, entry.offsets, retentionMs, now)
      if (expired.length > 0 && (await this.deleteOffsets(entry, expired)) === ErrorCode.NONE)
        this.#services.logger.info(`Removed ${expired.length} expired offsets of group ${entry.groupId}`)
      if (entry.isUnused && this.#groups.get(entry.groupId) === entry && !entry.deleting) await this.#remove(entry)
    }
  }

  /** Removes the committed offsets of a deleted topic. */
  async topicDeleted(topic: string, topicId: string): Promise<void> {
    for (const entry of [...this.#groups.values()]) {
      // Wait for offsets that are being written, because they must be removed too.
      if (entry.writes > 0) await entry.written
      const partitions = entry.offsets.partitionsOf(topic)
      if (!partitions) continue
      const which = Array.from(partitions, ([partition, o]) => ({ topic, partition, o })).filter(w =>
        isSameTopic(w.o.topicId, topicId),
      )
      await this.deleteOffsets(entry, which)
    }
  }

  async #loadUntilDone(): Promise<void> {
    const { logger, loadBufferSize } = this.#services
    const name = `__consumer_offsets-${this.partition}`
    const delays = backoff({ initialMs: 1000, maxMs: MAX_LOAD_BACKOFF_MS })
    while (!this.#stop.signal.aborted) {
      let delay: number
      const found: Loaded = { offsets: new Map(), groups: new Map() }
      try {
        const start = performance.now()
        const log = this.#openLog()
        const result = await loadPartition(log, loadBufferSize, r => addRecord(found, r), this.#stop.signal, logger)
        this.#install(found, log)
        if (result.records > 0)
          logger.info(
            `Loaded ${this.#groups.size} groups from ${result.records} records of ${name} in ${Math.round(performance.now() - start)} ms`,
          )
        return
      } catch (error) {
        if (this.#stop.signal.aborted) return
        delay = delays.next()
        logger.error(`Cannot load ${name}. The next attempt is in ${delay} ms: ${messageOf(error)}`)
      }
      await sleepOrAbort(delay, this.#stop.signal)
    }
  }

  #install(found: Loaded, log: PartitionLog): void {
    const { settings, clock, now, commitLog } = this.#services
    this.#commits = new CommitLog({ ...commitLog, log, leaderEpoch: () => this.leaderEpoch, now })
    for (const groupId of new Set([...found.groups.keys(), ...found.offsets.keys()])) {
      const snapshot = found.groups.get(groupId)
      const group = snapshot
        ? ClassicGroup.load(groupId, snapshot, settings, clock())
        : new ClassicGroup(groupId, settings, clock())
      const entry = new GroupEntry(groupId, group, found.offsets.get(groupId), snapshot !== undefined)
      entry.listed = true
      this.#groups.set(groupId, entry)
    }
    this.#loaded = true
    for (const entry of this.#groups.values()) this.#performEffects(entry)
  }

  #create(groupId: string): GroupEntry {
    const entry = new GroupEntry(groupId, new ClassicGroup(groupId, this.#services.settings, this.#services.clock()))
    this.#groups.set(groupId, entry)
    return entry
  }

  async #remove(entry: GroupEntry): Promise<number> {
    const { groupId, offsets } = entry
    entry.deleting = true
    try {
      // Wait for commits that were accepted before the deletion, because their offsets need
      // tombstones too.
      await entry.written
      const records = Array.from(offsets.all(), o => offsetTombstone(groupId, o.topic, o.partition))
      if (entry.persisted) records.push(groupTombstone(groupId))
      await this.#append(records)
    } catch (error) {
      entry.deleting = false
      this.#services.logger.warn(`Cannot delete group ${groupId}: ${messageOf(error)}`)
      return groupWriteError(error)
    }
    this.#drop(entry)
    return ErrorCode.NONE
  }

  #drop(entry: GroupEntry): void {
    this.#services.deadlines.delete(entry)
    if (this.#groups.get(entry.groupId) === entry) this.#groups.delete(entry.groupId)
  }

  /**
   * Performs the actions that a group's state machine requests, and updates the group's deadline.
   */
  #performEffects(entry: GroupEntry): void {
    if (this.#stop.signal.aborted) return
    this.#run(entry, entry.group.takeEffects())
    const now = this.#services.clock()
    if (entry.group.nextDeadline() <= now) {
      entry.group.tick(now)
      this.#run(entry, entry.group.takeEffects())
    }
    // Remove a group that is unused and has no record in the log, for example after a rejected
    // join.
    if (!entry.persisted && !entry.listed && !entry.deleting && entry.isUnused) {
      this.#drop(entry)
      return
    }
    this.#services.deadlines.set(entry, entry.group.nextDeadline())
    this.#services.deadlineMoved()
  }

  #run(entry: GroupEntry, effects: readonly GroupEffect[]): void {
    for (const e of effects) {
      if (e.kind === 'join') e.to(e.reply)
      else if (e.kind === 'sync') e.to(e.reply)
      else if (e.kind === 'log') this.#services.logger.info(`Group ${entry.groupId} ${e.text}`)
      else this.#writeGroup(entry, e.ticket, e.snapshot)
    }
  }

  #writeGroup(entry: GroupEntry, ticket: number, snapshot: GroupSnapshot): void {
    const done = (code: number) => {
      entry.group.persisted(ticket, code, this.#services.clock())
      this.#performEffects(entry)
    }
    const mark = () => {
      entry.persisted = true
    }
    this.#write(entry, [groupRecord(entry.groupId, snapshot)], mark).then(
      () => done(ErrorCode.NONE),
      error => {
        this.#services.logger.warn(`Cannot write the state of group ${entry.groupId}: ${messageOf(error)}`)
        done(groupWriteError(error))
      },
    )
  }

  #append(records: readonly CoordinatorRecord[]): Promise<void> {
    return this.#commits?.write(records) ?? Promise.reject(errorFor(ErrorCode.NOT_COORDINATOR))
  }

  /**
   * Writes records of a group. Applies each write to memory once it is in the log, in log order.
   */
  #write(entry: GroupEntry, records: readonly CoordinatorRecord[], apply: () => void): Promise<void> {
    entry.writes++
    const done = this.#append(records)
      .then(apply)
      .finally(() => entry.writes--)
    entry.written = done.catch(() => undefined)
    return done
  }
}

/** The groups and offsets that a partition's records describe. */
interface Loaded {
  readonly offsets: Map<string, CommittedOffsets>
  readonly groups: Map<string, GroupSnapshot>
}

function addRecord(found: Loaded, r: ReadRecord): void {
  if (r.kind === 'group') {
    if (r.value) found.groups.set(r.group, r.value)
    else found.groups.delete(r.group)
  } else if (r.kind === 'offset') {
    let offsets = found.offsets.get(r.group)
    if (!offsets) found.offsets.set(r.group, (offsets = new CommittedOffsets()))
    if (r.value) offsets.set(r.topic, r.partition, r.value)
    else offsets.delete(r.topic, r.partition)
    if (offsets.size === 0) found.offsets.delete(r.group)
  }
}
