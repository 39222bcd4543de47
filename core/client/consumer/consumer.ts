import { orAbort } from '../../common/async/or-abort.ts'
import { Signal } from '../../common/async/signal.ts'
import { timeLimit } from '../../common/async/time-limit.ts'
import { timerMs } from '../../common/async/timer.ts'
import { isRetriable, messageOf } from '../../common/errors/error-table.ts'
import { ErrorCode, errorFor } from '../../protocol/error-codes.ts'
import { Cluster } from '../cluster/cluster.ts'
import { EARLIEST, LATEST, listOffsets } from '../cluster/list-offsets.ts'
import { topicPartitions } from '../cluster/topics.ts'
import { clientErrors } from '../errors.ts'
import { GroupCoordinator } from '../group/coordinator.ts'
import { type Committer, committedOf, NO_MEMBER, OffsetStore } from '../group/offset-store.ts'
import type {
  ClientTraffic,
  Consumer,
  ConsumerBatch,
  ConsumerOptions,
  ConsumerRecord,
  GroupMetadata,
  OffsetAndMetadata,
  PartitionInfo,
  RebalanceListener,
  TopicPartition,
  TopicPartitionOffset,
} from '../types.ts'
import type { AssignedPartition, Reset } from './assigned-partition.ts'
import { AutoCommit } from './auto-commit.ts'
import { Fetcher } from './fetcher.ts'
import { GroupSide } from './group-side.ts'
import { type ConsumerSettings, consumerSettings } from './options.ts'
import { Positions } from './positions.ts'
import { Subscription } from './subscription.ts'

/**
 * Creates a consumer, which connects when it is first used. Throws a ConfigError for invalid
 * options.
 */
export function createConsumer(options: ConsumerOptions): Consumer {
  return new KafkaConsumer(consumerSettings(options))
}

class KafkaConsumer implements Consumer {
  readonly #settings: ConsumerSettings
  readonly #cluster: Cluster
  readonly #subscription = new Subscription()
  readonly #coordinator: GroupCoordinator | null
  readonly #store: OffsetStore | null
  readonly #group: GroupSide | null
  readonly #positions: Positions
  readonly #fetcher: Fetcher
  readonly #autoCommit: AutoCommit | null
  readonly #changed = new Signal()
  #finding: Promise<void> | null = null
  #findNotBefore = 0
  #failure: Error | null = null
  #busy = false
  #woken = false
  #closed = false
  #closing: Promise<void> | null = null
  /**
   * The last version of the metadata that was checked and contains no errors of the subscribed
   * topics.
   */
  #checkedTopicsAt = -1
  /**
   * Selects the partition from which the next poll takes records first. It changes with each poll,
   * so that every partition is read.
   */
  #turn = 0

  constructor(settings: ConsumerSettings) {
    this.#settings = settings
    this.#cluster = new Cluster(settings.common, { autoCreateTopics: settings.allowAutoCreateTopics })
    this.#coordinator = settings.groupId === null ? null : new GroupCoordinator(this.#cluster, settings.groupId)
    this.#store = this.#coordinator && new OffsetStore(this.#coordinator)
    this.#positions = new Positions(this.#cluster, settings, this.#store)
    const onChange = () => this.#changed.notify()
    this.#group =
      this.#coordinator &&
      new GroupSide(settings, this.#cluster, this.#coordinator, this.#subscription, {
        beforeRevoke: partitions => this.#commitBeforeRevoke(partitions),
        onChange,
      })
    // The metadata may contain new leaders, for which `poll` must validate the positions.
    this.#cluster.onUpdate(onChange)
    this.#fetcher = new Fetcher(this.#cluster, settings, {
      partitions: () => this.#subscription.partitions(),
      partition: (topic, partition) => this.#subscription.get(topic, partition),
      noteLeader: p => this.#positions.noteLeader(p),
      onOutOfRange: p => this.#onOutOfRange(p),
      onChange,
    })
    this.#autoCommit = settings.autoCommit
      ? new AutoCommit(settings.autoCommitIntervalMs, () => this.#commitAutomatically(), settings.common.logger)
      : null
  }

  subscribe(topics: readonly string[] | RegExp, listener?: RebalanceListener): void {
    this.#check()
    const group = this.#group
    if (!group) throw clientErrors.create('MR_CLIENT_NO_GROUP', { what: 'subscribe' })
    if (this.#subscription.mode === 'assigned')
      throw stateError('the consumer has assigned partitions; call unsubscribe first')
    const isPattern = topics instanceof RegExp
    this.#subscription.mode = isPattern ? 'pattern' : 'topics'
    // Copy the pattern without the flags g and y, which make a RegExp remember its last match.
    this.#subscription.pattern = isPattern ? new RegExp(topics.source, topics.flags.replace(/[gy]/g, '')) : null
    this.#subscription.listener = listener ?? null
    this.#checkedTopicsAt = -1
    if (!isPattern) this.#subscription.topics = new Set(topics)
    group.subscriptionChanged()
    if (isPattern) group.resolvePattern()
    this.#changed.notify()
  }

  assign(partitions: readonly TopicPartition[]): void {
    this.#check()
    if (this.#subscription.isGroup) throw stateError('the consumer has subscribed to topics; call unsubscribe first')
    this.#subscription.mode = 'assigned'
    this.#subscription.assign(partitions)
    this.#cluster.setTracked(new Set(partitions.map(p => p.topic)))
    this.#changed.notify()
  }

  async unsubscribe(): Promise<void> {
    this.#check()
    await this.#leave('the consumer unsubscribed', this.#settings.common.requestTimeoutMs)
    this.#subscription.clear()
    this.#cluster.setTracked([])
  }

  assignment(): readonly TopicPartition[] {
    return this.#subscription.list()
  }

  subscription(): readonly string[] {
    return [...this.#subscription.topics]
  }

  missingTopics(): readonly string[] {
    return this.#topicsWith(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
  }

  async poll(timeoutMs: number, signal?: AbortSignal): Promise<readonly ConsumerBatch[]> {
    this.#check()
    if (this.#busy) throw stateError('another poll of the consumer is in progress')
    if (this.#subscription.mode === 'none')
      throw stateError('the consumer has no subscription and no assigned partitions')
    this.#busy = true
    const deadline = performance.now() + timeoutMs
    try {
      for (;;) {
        this.#check()
        this.#throwTopicErrors()
        if (this.#subscription.isGroup && (await this.#readyToJoin(deadline, signal)))
          await this.#group!.membership.tick()
        this.#throwTopicErrors()
        this.#autoCommit?.commitIfDue()
        this.#findPositions()
        const batches = this.#collect()
        this.#fetcher.maintain()
        const left = deadline - performance.now()
        if (batches.length > 0 || this.#woken || signal?.aborted || left <= 0) return batches
        this.#throwFailure()
        await this.#changed.next(left, signal)
      }
    } finally {
      this.#woken = false
      this.#busy = false
    }
  }

  wakeup(): void {
    this.#woken = true
    this.#changed.notify()
  }

  async commit(offsets?: readonly TopicPartitionOffset[]): Promise<void> {
    this.#check()
    await this.#commit(offsets ?? this.#positionsToCommit(), this.#settings.apiTimeoutMs)
  }

  async committed(partitions: readonly TopicPartition[]): Promise<(OffsetAndMetadata | null)[]> {
    this.#check()
    if (!this.#store) throw clientErrors.create('MR_CLIENT_NO_GROUP', { what: 'committed' })
    if (partitions.length === 0) return []
    const found = await this.#store.fetch(partitions, this.#settings.apiTimeoutMs)
    return partitions.map(p => committedOf(found.get(`${p.topic}:${p.partition}`)))
  }

  position(partition: TopicPartition): number | null {
    return this.#subscription.need(partition).position?.offset ?? null
  }

  seek(partition: TopicPartition, offset: number): void {
    if (!(Number.isSafeInteger(offset) && offset >= 0)) throw stateError(`cannot seek to the invalid offset ${offset}`)
    this.#subscription.need(partition).seek(offset)
    this.#changed.notify()
  }

  seekToBeginning(partitions: readonly TopicPartition[]): void {
    this.#seekTo(partitions, 'earliest')
  }

  seekToEnd(partitions: readonly TopicPartition[]): void {
    this.#seekTo(partitions, 'latest')
  }

  pause(partitions: readonly TopicPartition[]): void {
    for (const p of partitions.map(tp => this.#subscription.need(tp))) p.paused = true
  }

  resume(partitions: readonly TopicPartition[]): void {
    for (const p of partitions.map(tp => this.#subscription.need(tp))) p.paused = false
    this.#changed.notify()
  }

  paused(): readonly TopicPartition[] {
    return [...this.#subscription.partitions()]
      .filter(p => p.paused)
      .map(({ topic, partition }) => ({ topic, partition }))
  }

  async beginningOffsets(partitions: readonly TopicPartition[]): Promise<number[]> {
    return (await this.#offsetsAt(partitions.map(p => ({ ...tpOf(p), timestamp: EARLIEST })))).map(f => f.offset)
  }

  async endOffsets(partitions: readonly TopicPartition[]): Promise<number[]> {
    return (await this.#offsetsAt(partitions.map(p => ({ ...tpOf(p), timestamp: LATEST })))).map(f => f.offset)
  }

  async offsetsForTimes(
    queries: readonly (TopicPartition & { readonly timestamp: number })[],
  ): Promise<(number | null)[]> {
    return (await this.#offsetsAt(queries)).map(f => (f.offset < 0 ? null : f.offset))
  }

  async partitionsFor(topic: string): Promise<readonly PartitionInfo[]> {
    this.#check()
    return topicPartitions(this.#cluster, topic, this.#settings.apiTimeoutMs)
  }

  groupMetadata(): GroupMetadata | null {
    return this.#group?.identity ?? null
  }

  joining(): { readonly memberId: string } | null {
    return this.#group?.joining ?? null
  }

  traffic(): ClientTraffic {
    return this.#cluster.traffic
  }

  close(options: { timeoutMs?: number } = {}): Promise<void> {
    this.#closing ??= this.#close(options.timeoutMs ?? 30_000)
    return this.#closing
  }

  async #close(timeoutMs: number): Promise<void> {
    const { logger } = this.#settings.common
    const limit = timeLimit(timeoutMs)
    try {
      await orAbort(this.#leave('the consumer is being closed', timeoutMs), limit)
      await orAbort(this.#fetcher.close(Math.min(timeoutMs, 1000)), limit)
    } catch (error) {
      logger.warn('The consumer was closed and did not leave its group cleanly', error)
    }
    this.#closed = true
    this.#group?.membership.close()
    await this.#fetcher.close(0)
    this.#cluster.close(closedError())
    this.#changed.notify()
    await this.#finding
    await this.#autoCommit?.settled()
  }

  #check(): void {
    if (this.#closed) throw closedError()
  }

  #throwFailure(): void {
    const failure = this.#failure
    this.#failure = null
    if (failure) throw failure
    for (const p of this.#subscription.partitions()) {
      const { error } = p
      if (!error) continue
      p.error = null
      throw error
    }
  }

  #topicsWith(errorCode: number): string[] {
    const { topics } = this.#cluster.metadata
    return this.subscription().filter(t => topics.get(t)?.errorCode === errorCode)
  }

  /** Throws an error if the subscription contains invalid or unauthorized topics, as in Java. */
  #throwTopicErrors(): void {
    const { version } = this.#cluster.metadata
    if (this.#subscription.mode !== 'topics' || this.#checkedTopicsAt === version) return
    const invalid = this.#topicsWith(ErrorCode.INVALID_TOPIC_EXCEPTION)
    if (invalid.length > 0) throw clientErrors.create('MR_CLIENT_INVALID_TOPICS', { topics: invalid.join(', ') })
    const refused = this.#topicsWith(ErrorCode.TOPIC_AUTHORIZATION_FAILED)
    if (refused.length > 0)
      throw errorFor(ErrorCode.TOPIC_AUTHORIZATION_FAILED, `Not authorized to access topics: [${refused.join(', ')}]`)
    this.#checkedTopicsAt = version
  }

  /**
   * Returns whether the consumer can join its group. A subscription by pattern requires the
   * metadata of all topics first.
   */
  async #readyToJoin(deadline: number, signal: AbortSignal | undefined): Promise<boolean> {
    if (this.#subscription.mode !== 'pattern' || this.#cluster.metadata.version > 0) return true
    const limit = timeLimit(deadline - performance.now())
    try {
      await this.#cluster.refresh(signal ? AbortSignal.any([signal, limit]) : limit)
      return true
    } catch (error) {
      if (signal?.aborted || limit.aborted || isRetriable(error)) return false
      throw error
    }
  }

  /** Finds missing positions in the background. Other partitions are read in the meantime. */
  #findPositions(): void {
    if (this.#finding || performance.now() < this.#findNotBefore) return
    const pending = this.#positions.pending(this.#subscription.partitions()).filter(p => p.error === null)
    if (pending.length === 0) return
    const done = (error: unknown) => {
      this.#finding = null
      if (this.#closed) return
      if (error !== null) this.#onFindFailure(error)
      this.#fetcher.maintain()
      this.#changed.notify()
    }
    this.#finding = this.#positions.find(pending).then(() => done(null), done)
  }

  #onFindFailure(error: unknown): void {
    if (!isRetriable(error)) {
      this.#failure = error as Error
      return
    }
    const { retryBackoffMs, logger } = this.#settings.common
    logger.debug(`Cannot find all positions yet; retrying: ${messageOf(error)}`)
    this.#findNotBefore = performance.now() + retryBackoffMs
    const timer = setTimeout(() => this.#changed.notify(), timerMs(retryBackoffMs + 1))
    timer.unref()
  }

  /**
   * Returns buffered records, up to `max.poll.records`. Each poll starts with another partition.
   */
  #collect(): ConsumerBatch[] {
    const partitions = [...this.#subscription.partitions()]
    const batches: ConsumerBatch[] = []
    let left = this.#settings.maxPollRecords
    const first = partitions.length > 0 ? this.#turn++ % partitions.length : 0
    for (let i = 0; i < partitions.length && left > 0; i++) {
      const p = partitions[(first + i) % partitions.length]!
      this.#positions.noteLeader(p)
      if (p.paused || !p.hasBuffered || p.position === null) continue
      const records: ConsumerRecord[] = []
      try {
        p.take(left, records)
      } catch (cause) {
        // Discard the buffer, so that the range is fetched again. If there are records before the
        // invalid batch, this poll returns them. Otherwise `poll` throws the error.
        const { offset } = p.position
        p.dropBuffered()
        if (records.length === 0) {
          p.error = clientErrors.create(
            'MR_CLIENT_CORRUPT_RECORDS',
            { partition: p.name, offset, cause: messageOf(cause) },
            { cause },
          )
        }
      }
      left -= records.length
      if (records.length > 0)
        batches.push({ topic: p.topic, partition: p.partition, records, highWatermark: p.highWatermark })
    }
    return batches
  }

  #onOutOfRange(p: AssignedPartition): void {
    const offset = p.fetchOffset
    this.#settings.common.logger.info(`${p.name}: the offset ${offset} is out of range`)
    this.#positions.resetOrFail(p, () =>
      clientErrors.create('MR_CLIENT_OFFSET_OUT_OF_RANGE', { partition: p.name, offset }),
    )
    this.#changed.notify()
  }

  #seekTo(partitions: readonly TopicPartition[], reset: Reset): void {
    const chosen =
      partitions.length > 0 ? partitions.map(tp => this.#subscription.need(tp)) : [...this.#subscription.partitions()]
    for (const p of chosen) p.seekTo(reset)
    this.#changed.notify()
  }

  /**
   * Returns the positions to commit. Excludes positions that are not validated, because they may be
   * after the end of the log.
   */
  #positionsToCommit(): TopicPartitionOffset[] {
    const offsets: TopicPartitionOffset[] = []
    for (const p of this.#subscription.partitions()) {
      if (p.position === null) continue
      offsets.push({
        topic: p.topic,
        partition: p.partition,
        offset: p.position.offset,
        leaderEpoch: p.position.offsetEpoch,
      })
    }
    return offsets
  }

  async #commit(offsets: readonly TopicPartitionOffset[], timeoutMs: number): Promise<void> {
    const { groupId } = this.#settings
    if (!this.#store) throw clientErrors.create('MR_CLIENT_NO_GROUP', { what: 'commit' })
    if (offsets.length === 0) return
    const by: Committer | null = this.#group ? this.#group.committer : NO_MEMBER
    if (!by)
      throw clientErrors.create('MR_CLIENT_COMMIT_FAILED', {
        group: groupId,
        cause: 'this consumer is not a member of the group',
      })
    try {
      await this.#store.commit(offsets, by, timeoutMs)
    } catch (error) {
      const code = (error as { cause?: { kafkaCode?: number } }).cause?.kafkaCode
      if (code !== undefined) this.#group?.membership.state.commitRejected(code, by.generation)
      throw error
    }
  }

  /**
   * Commits the positions if the consumer is a member of its group. Otherwise, other members may
   * own the partitions.
   */
  async #commitAutomatically(): Promise<void> {
    if (this.#group?.committer) await this.#commit(this.#positionsToCommit(), this.#settings.common.requestTimeoutMs)
  }

  async #commitBeforeRevoke(partitions: readonly TopicPartition[]): Promise<void> {
    if (!this.#autoCommit) return
    const gone = new Set(partitions.map(tp => `${tp.topic}:${tp.partition}`))
    const offsets = this.#positionsToCommit().filter(o => gone.has(`${o.topic}:${o.partition}`))
    await this.#autoCommit.settled()
    try {
      await this.#commit(offsets, this.#settings.common.requestTimeoutMs)
    } catch (error) {
      this.#settings.common.logger.warn('The automatic commit before a rebalance failed', error)
    }
  }

  async #leave(reason: string, timeoutMs: number): Promise<void> {
    const group = this.#group
    if (!group) return
    if (this.#subscription.isGroup) await group.release()
    else if (this.#subscription.mode === 'assigned') await this.#commitBeforeRevoke(this.#subscription.list())
    group.reset()
    await group.membership.leave(reason, false, timeoutMs)
  }

  async #offsetsAt(queries: readonly (TopicPartition & { readonly timestamp: number })[]) {
    this.#check()
    const { readCommitted, apiTimeoutMs } = this.#settings
    return listOffsets(this.#cluster, queries, { readCommitted, timeoutMs: apiTimeoutMs })
  }
}

function tpOf({ topic, partition }: TopicPartition): TopicPartition {
  return { topic, partition }
}

function stateError(what: string): Error {
  return clientErrors.create('MR_CLIENT_STATE', { what })
}

function closedError(): Error {
  return clientErrors.create('MR_CLIENT_CLOSED', { what: 'consumer' })
}
