import { backoffMs } from '../../common/async/backoff.ts'
import { timerMs } from '../../common/async/timer.ts'
import { messageOf } from '../../common/errors/error-table.ts'
import { ErrorCode, errorFor } from '../../protocol/error-codes.ts'
import type { ProduceRequest, ProduceResponse } from '../../protocol/messages/00-produce.ts'
import type { Message, MessageInput } from '../../protocol/schema/declare.ts'
import type { Cluster } from '../cluster/cluster.ts'
import { clientErrors } from '../errors.ts'
import type { Connection } from '../net/connection.ts'
import { NO_SEQUENCE, type ProducerBatch } from './batch.ts'
import { BrokerLane } from './broker-lane.ts'
import { IdentityKeeper } from './identity.ts'
import { Leaderless } from './leaderless.ts'
import type { ProducerSettings } from './options.ts'
import type { PartitionQueue } from './partition-queue.ts'
import { answersTo, type Parcel, Produce, produceVersion, topicDataOf } from './produce.ts'
import { separateRecords, splitBatch } from './split.ts'
import type { TopicQueue } from './topic-queue.ts'
import { judge, leavesOpen, needsMetadata, type PartitionAnswer } from './verdict.ts'

type ProducedPartition = Message<typeof ProduceResponse>['responses'][number]['partitionResponses'][number]

export interface SenderEvents {
  topic(name: string): TopicQueue | undefined
  /** The batch's listeners have been told; its memory is free. */
  onFinished(queue: PartitionQueue, batch: ProducerBatch): void
}

/** Brings batches to the leaders of their partitions and finds out what became of them. Owns every Produce request. */
export class Sender {
  readonly #settings: ProducerSettings
  readonly #cluster: Cluster
  readonly #events: SenderEvents
  readonly #identity: IdentityKeeper
  readonly #lanes = new Map<number, BrokerLane>()
  readonly #leaderless: Leaderless
  /** Partitions with something to send that wait for the producer's identity. */
  readonly #nameless = new Set<PartitionQueue>()
  readonly #timers = new Set<NodeJS.Timeout>()
  #scheduled: NodeJS.Immediate | null = null
  #closed = false

  constructor(settings: ProducerSettings, cluster: Cluster, events: SenderEvents) {
    this.#settings = settings
    this.#cluster = cluster
    this.#events = events
    this.#identity = new IdentityKeeper(cluster, error => this.#onIdentity(error))
    this.#leaderless = new Leaderless(cluster, queue => this.#hasMore(queue) && this.enqueue(queue))
  }

  /** This partition has something to send. */
  enqueue(queue: PartitionQueue): void {
    if (queue.listed || this.#closed) return
    const leader = this.#cluster.metadata.partition(queue.topic, queue.partition)?.leader ?? -1
    if (leader < 0 || !this.#cluster.metadata.brokers.has(leader)) {
      this.#leaderless.add(queue)
      return
    }
    let lane = this.#lanes.get(leader)
    if (!lane) this.#lanes.set(leader, (lane = new BrokerLane(leader)))
    lane.add(queue)
    this.#scheduled ??= setImmediate(() => {
      this.#scheduled = null
      for (const l of this.#lanes.values()) this.#pump(l)
    })
  }

  /** Gives up what has waited longer than `delivery.timeout.ms`. */
  expire(queue: PartitionQueue, now: number): void {
    const ms = this.#settings.deliveryTimeoutMs
    let any = false
    for (const batch of queue.order) {
      if (batch.done || now - batch.createdAt < ms) continue
      const cause = batch.lastError ? messageOf(batch.lastError) : 'it could not be sent'
      const error = clientErrors.create(
        'MR_CLIENT_DELIVERY_TIMEOUT',
        { count: batch.count, topic: queue.topic, partition: queue.partition, ms, cause },
        batch.lastError ? { cause: batch.lastError } : undefined,
      )
      if (batch.attempts > 0) queue.sequences.abandoned(batch)
      this.#finish(batch, error)
      any = true
    }
    if (any) this.#settle(queue)
  }

  /** Fails everything of a partition. */
  failAll(queue: PartitionQueue, error: Error): void {
    for (const batch of queue.order) if (!batch.done) this.#finish(batch, error)
    this.#deliver(queue)
  }

  /**
   * Fails the records with tokens above `after` that have not been sent. Their listeners are called
   * soon; records in flight, or possibly written, are not touched.
   */
  abortUnsent(queue: PartitionQueue, after: number, error: Error): void {
    for (const batch of [...queue.order]) {
      if (batch.done || batch.onWire || batch.attempts > 0 || batch.uncertain) continue
      const isLater = (i: number) => batch.senderOf(i).token > after
      let later = 0
      for (let i = 0; i < batch.count; i++) if (isLater(i)) later++
      if (later === 0) continue
      if (later < batch.count) {
        this.#failSome(queue, batch, isLater, error)
        continue
      }
      batch.closed = true
      queue.sequences.refused(batch)
      this.#finish(batch, error)
    }
    queueMicrotask(() => this.#deliver(queue))
  }

  close(): void {
    this.#closed = true
    if (this.#scheduled) clearImmediate(this.#scheduled)
    for (const timer of this.#timers) clearTimeout(timer)
    this.#timers.clear()
  }

  #pump(lane: BrokerLane): void {
    while (!this.#closed && lane.inFlight < this.#settings.maxInFlight && lane.ready.length > 0) {
      const connection = this.#cluster.openConnection(lane.id, 'data')
      if (!connection) {
        this.#connect(lane)
        return
      }
      const parcels = this.#pack(lane)
      if (parcels.length === 0) return
      this.#send(lane, connection, parcels)
    }
  }

  #connect(lane: BrokerLane): void {
    if (lane.connecting) return
    lane.connecting = true
    const done = (error: unknown) => {
      lane.connecting = false
      if (this.#closed) return
      if (error === null) {
        this.#pump(lane)
        return
      }
      this.#settings.common.logger.debug(`no connection to broker ${lane.id}: ${messageOf(error)}`)
      for (const queue of lane.takeReady()) this.#leaderless.add(queue, error)
    }
    this.#cluster.connection(lane.id, 'data').then(() => done(null), done)
  }

  /** Chooses the batches of the next request: at most one of each partition, as the protocol demands. */
  #pack(lane: BrokerLane): Parcel[] {
    const parcels: Parcel[] = []
    const now = performance.now()
    const candidates = lane.takeReady()
    let size = 0
    for (let i = 0; i < candidates.length; i++) {
      const queue = candidates[i]!
      const topic = this.#cluster.metadata.topic(queue.topic)
      const leader = topic?.partitions[queue.partition]?.leader
      if (leader !== lane.id) {
        this.enqueue(queue)
        continue
      }
      const batch = this.#sendable(queue, now)
      if (!batch) continue
      const bytes = batch.rawSize
      if (parcels.length > 0 && size + bytes > this.#settings.maxRequestSize) {
        for (const q of candidates.slice(i)) lane.add(q)
        break
      }
      if (this.#settings.idempotence) queue.sequences.assign(batch, this.#identity.current!)
      batch.closed = true
      batch.onWire = true
      batch.attempts++
      size += bytes
      parcels.push({ queue, batch, topicId: topic!.id })
    }
    // What has more to send takes its turn in the next request.
    for (const { queue } of parcels) if (!queue.listed && this.#hasMore(queue)) lane.add(queue)
    return parcels
  }

  #hasMore(queue: PartitionQueue): boolean {
    const next = queue.next
    return next !== null && (next.due || next.attempts > 0)
  }

  /** The partition's next batch if it may go now. Otherwise whatever holds it back enqueues the partition again. */
  #sendable(queue: PartitionQueue, now: number): ProducerBatch | null {
    const batch = queue.next
    if (!batch || !(batch.due || batch.attempts > 0) || now < queue.notBefore) return null
    const { idempotence, maxInFlight } = this.#settings
    if (!idempotence) return maxInFlight === 1 && queue.anyOnWire ? null : batch
    this.#maybeReset(queue)
    const identity = this.#identity.current
    if (!identity) {
      this.#nameless.add(queue)
      this.#identity.need()
      return null
    }
    return queue.sequences.maySend(batch, identity) ? batch : null
  }

  /** Starts a partition anew in a new epoch where that is due and possible. */
  #maybeReset(queue: PartitionQueue): void {
    const { sequences } = queue
    if (!sequences.awaitsReset || !this.#identity.current) return
    if (!sequences.isBehind(this.#identity.current)) this.#identity.bump()
    if (!this.#identity.current) return
    const { producerId, epoch } = this.#identity.current
    this.#settings.common.logger.info(
      `${queue.topic}-${queue.partition} goes on as producer ${producerId} epoch ${epoch}, from sequence 0`,
    )
    sequences.reset(this.#identity.current)
  }

  #send(lane: BrokerLane, connection: Connection, parcels: readonly Parcel[]): void {
    lane.inFlight++
    const { acks } = this.#settings
    const done = (settle: () => void) => {
      lane.inFlight--
      settle()
      for (const p of parcels) this.#settle(p.queue)
      this.#pump(lane)
    }
    const failed = (error: unknown) => done(() => this.#onFailure(parcels, error as Error))
    let version: number
    let input: MessageInput<typeof ProduceRequest>
    try {
      version = produceVersion(connection, parcels)
      input = { acks, timeoutMs: this.#settings.common.requestTimeoutMs, topicData: topicDataOf(parcels) }
      for (const { queue, batch } of parcels) this.#events.topic(queue.topic)?.observeRatio(batch.ratio)
    } catch (error) {
      setImmediate(failed, error)
      return
    }
    if (acks === 0) {
      connection.send(Produce, version, input).then(
        () =>
          done(() => {
            for (const p of parcels) this.#acked(p, -1, -1)
          }),
        failed,
      )
    } else {
      connection
        .request(Produce, version, input)
        .then(response => done(() => this.#onResponse(parcels, response)), failed)
    }
  }

  #onResponse(parcels: readonly Parcel[], response: Message<typeof ProduceResponse>): void {
    let stale = false
    for (const node of response.nodeEndpoints ?? []) {
      this.#cluster.metadata.addBroker({ id: node.nodeId, host: node.host, port: node.port, rack: node.rack })
    }
    for (const { parcel, answer } of answersTo(parcels, response)) {
      const { queue } = parcel
      if (!answer) {
        this.#judge(
          parcel,
          { errorCode: ErrorCode.UNKNOWN_SERVER_ERROR, logStartOffset: -1 },
          null,
          'the response leaves it out',
        )
        continue
      }
      const { leaderId, leaderEpoch } = answer.currentLeader
      const told =
        leaderId >= 0 && this.#cluster.metadata.updateLeader(queue.topic, queue.partition, leaderId, leaderEpoch)
      if (!told && needsMetadata(answer.errorCode)) stale = true
      const detail =
        answer.errorMessage ?? answer.recordErrors.find(e => e.batchIndexErrorMessage)?.batchIndexErrorMessage
      this.#judge(parcel, answer, answer, detail ?? undefined)
    }
    if (stale) this.#cluster.refreshSoon()
  }

  /** A whole request failed: nobody knows what the broker did with it. */
  #onFailure(parcels: readonly Parcel[], error: Error): void {
    if (this.#closed) return
    const retriable = (error as { retriable?: boolean }).retriable === true
    for (const { queue, batch } of parcels) {
      batch.onWire = false
      if (batch.done) continue
      batch.lastError = error
      batch.uncertain = true
      if (retriable && batch.attempts <= this.#settings.retries) {
        this.#backOff(queue)
        continue
      }
      queue.sequences.abandoned(batch)
      this.#finish(batch, error)
    }
    if (retriable) this.#cluster.refreshSoon()
  }

  #judge(
    parcel: Parcel,
    answer: PartitionAnswer,
    acked: Pick<ProducedPartition, 'baseOffset' | 'logAppendTimeMs' | 'recordErrors'> | null,
    detail: string | undefined,
  ): void {
    const { queue, batch } = parcel
    batch.onWire = false
    if (batch.done) return
    const { sequences } = queue
    const verdict = judge(answer, {
      idempotent: batch.sequence !== NO_SEQUENCE,
      records: batch.count,
      exhausted: batch.attempts > this.#settings.retries,
      isOvertaken: sequences.isOvertaken(batch),
      uncertain: batch.uncertain,
      stale: batch.renumbered,
      isNext: sequences.isNext(batch),
    })
    if (verdict === 'acked') {
      this.#acked(parcel, acked?.baseOffset ?? -1, acked?.logAppendTimeMs ?? -1)
      return
    }
    const error = errorFor(answer.errorCode, detail)
    batch.lastError = error
    if (leavesOpen(answer.errorCode)) batch.uncertain = true
    this.#settings.common.logger.debug(
      `${batch.count} records for ${queue.topic}-${queue.partition}, attempt ${batch.attempts}: ${verdict}: ${messageOf(error)}`,
    )
    switch (verdict) {
      case 'retry':
        this.#backOff(queue)
        return
      case 'reset':
        sequences.mustReset = true
        this.#backOff(queue)
        return
      case 'split': {
        const parts = splitBatch(batch)
        queue.replace(batch, parts)
        sequences.split(batch, parts)
        return
      }
      case 'abandoned':
        sequences.abandoned(batch)
        this.#finish(batch, error)
        return
      case 'new-identity':
        this.#identity.drop()
        sequences.refused(batch)
        this.#finish(batch, error)
        return
      case 'refused':
        this.#refused(parcel, error, acked?.recordErrors ?? [])
        return
    }
  }

  /**
   * If the broker names the records that it rejects (KIP-467), the others are sent again without
   * them.
   */
  #refused({ queue, batch }: Parcel, error: Error, recordErrors: readonly { readonly batchIndex: number }[]): void {
    const { sequences } = queue
    const invalid = new Set(recordErrors.map(e => e.batchIndex).filter(i => i >= 0 && i < batch.count))
    if (invalid.size === 0 || invalid.size === batch.count) {
      sequences.refused(batch)
      this.#finish(batch, error)
      return
    }
    this.#failSome(queue, batch, i => invalid.has(i), error)
  }

  /** Fails some records of a batch that was not written. The others keep their place. */
  #failSome(queue: PartitionQueue, batch: ProducerBatch, which: (index: number) => boolean, error: Error): void {
    const parts = separateRecords(batch, which)
    const batches = parts.map(p => p.part)
    queue.replace(batch, batches)
    queue.sequences.split(batch, batches)
    for (const { part, fails } of parts) {
      if (!fails) continue
      queue.sequences.refused(part)
      this.#finish(part, error)
    }
  }

  #acked({ queue, batch }: Parcel, baseOffset: number, logAppendTime: number): void {
    batch.onWire = false
    if (batch.done) return
    queue.attempts = 0
    queue.notBefore = 0
    if (batch.sequence !== NO_SEQUENCE) queue.sequences.acked(batch)
    batch.baseOffset = baseOffset
    batch.logAppendTime = logAppendTime
    this.#finish(batch, null)
  }

  #finish(batch: ProducerBatch, error: Error | null): void {
    batch.done = true
    batch.error = error
  }

  /** After anything happened to a partition's batches: tells listeners, and looks for what to send next. */
  #settle(queue: PartitionQueue): void {
    this.#deliver(queue)
    if (this.#hasMore(queue) && performance.now() >= queue.notBefore) this.enqueue(queue)
  }

  #deliver(queue: PartitionQueue): void {
    for (const batch of queue.takeDone()) {
      this.#events.onFinished(queue, batch)
      if (batch.error && !batch.watched) {
        this.#settings.common.logger.warn(
          `lost ${batch.count} records for ${queue.topic}-${queue.partition}: ${messageOf(batch.error)}`,
        )
      }
      const thrown = batch.deliver(queue.topic, queue.partition)
      if (thrown !== null) this.#settings.common.logger.error('a delivery listener has thrown', thrown)
    }
  }

  #backOff(queue: PartitionQueue): void {
    const { retryBackoffMs, retryBackoffMaxMs } = this.#settings.common
    // Batches that were on their way together fail together: that is one failure.
    if (queue.notBefore > performance.now()) return
    const ms = backoffMs(queue.attempts++, { initialMs: retryBackoffMs, maxMs: retryBackoffMaxMs })
    queue.notBefore = performance.now() + ms
    const timer = setTimeout(() => {
      this.#timers.delete(timer)
      queue.notBefore = 0
      if (this.#hasMore(queue)) this.enqueue(queue)
    }, timerMs(ms))
    this.#timers.add(timer)
  }

  #onIdentity(error: Error | null): void {
    const waiting = [...this.#nameless]
    this.#nameless.clear()
    for (const queue of waiting) {
      if (error) {
        for (const batch of queue.order) if (!batch.done && !batch.onWire && batch.closed) this.#finish(batch, error)
        if (queue.next?.due) this.#finish(queue.next, error)
        this.#settle(queue)
      } else {
        this.enqueue(queue)
      }
    }
  }
}
