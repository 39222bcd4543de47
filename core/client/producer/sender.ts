import { timerMs } from '../../common/async/timer.ts'
import { isRetriable, messageOf } from '../../common/errors/error-table.ts'
import { ErrorCode, errorFor } from '../../protocol/error-codes.ts'
import type { ProduceRequest, ProduceResponse } from '../../protocol/messages/00-produce.ts'
import type { Message, MessageInput } from '../../protocol/schema/declare.ts'
import type { Cluster } from '../cluster/cluster.ts'
import { clientErrors } from '../errors.ts'
import type { Connection } from '../net/connection.ts'
import type { ProducerBatch } from './batch.ts'
import { BrokerLane } from './broker-lane.ts'
import { IdentityKeeper } from './identity.ts'
import { Leaderless } from './leaderless.ts'
import type { ProducerSettings } from './options.ts'
import type { PartitionQueue } from './partition-queue.ts'
import {
  type PartitionResponse,
  Produce,
  produceVersion,
  type QueuedBatch,
  responsesTo,
  topicDataOf,
} from './produce.ts'
import { separateRecords, splitBatch } from './split.ts'
import type { TopicQueue } from './topic-queue.ts'
import { judge, mayBeWrittenAfter, needsMetadata, type PartitionAnswer } from './verdict.ts'

/** The result for a batch whose partition is missing in the response. */
const NO_ANSWER: PartitionAnswer = { errorCode: ErrorCode.UNKNOWN_SERVER_ERROR, logStartOffset: -1 }

export interface SenderEvents {
  topic(name: string): TopicQueue | undefined
  /**
   * Called when the outcome of a batch is known. The caller can then release the batch's memory.
   */
  onFinished(batch: ProducerBatch): void
}

/** Sends batches to the leaders of their partitions, and sets their outcomes from the responses. */
export class Sender {
  readonly #settings: ProducerSettings
  readonly #cluster: Cluster
  readonly #events: SenderEvents
  readonly #identity: IdentityKeeper
  readonly #lanes = new Map<number, BrokerLane>()
  readonly #leaderless: Leaderless
  /** The partitions whose batches wait until the producer has an id. */
  readonly #anonymous = new Set<PartitionQueue>()
  readonly #timers = new Set<NodeJS.Timeout>()
  #scheduled: NodeJS.Immediate | null = null
  #closed = false

  constructor(settings: ProducerSettings, cluster: Cluster, events: SenderEvents) {
    this.#settings = settings
    this.#cluster = cluster
    this.#events = events
    this.#identity = new IdentityKeeper(cluster, error => this.#onIdentity(error))
    this.#leaderless = new Leaderless(cluster, queue => queue.hasDue && this.enqueue(queue))
  }

  /** Adds a partition with a batch to send. */
  enqueue(queue: PartitionQueue): void {
    if (queue.isListed || this.#closed) return
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

  /** Fails batches that are older than `delivery.timeout.ms`. */
  expire(queue: PartitionQueue, now: number): void {
    const ms = this.#settings.deliveryTimeoutMs
    let isAnyExpired = false
    for (const batch of queue.batches) {
      if (batch.isDone || now - batch.createdAt < ms) continue
      const cause = batch.lastError ? messageOf(batch.lastError) : 'it could not be sent'
      const error = clientErrors.create(
        'MR_CLIENT_DELIVERY_TIMEOUT',
        { count: batch.count, topic: queue.topic, partition: queue.partition, ms, cause },
        batch.lastError ? { cause: batch.lastError } : undefined,
      )
      if (batch.attempts > 0) queue.abandon(batch, error)
      else batch.fail(error)
      isAnyExpired = true
    }
    if (isAnyExpired) this.#settle(queue)
  }

  /** Fails all batches of a partition. */
  failAll(queue: PartitionQueue, error: Error): void {
    for (const batch of queue.batches) if (!batch.isDone) batch.fail(error)
    this.#deliver(queue)
  }

  /**
   * Fails the unsent records whose token is above `after`. Listeners are called in a microtask.
   * Records that were sent are not affected.
   */
  abortUnsent(queue: PartitionQueue, after: number, error: Error): void {
    for (const batch of [...queue.batches]) {
      if (batch.isDone || batch.isOnWire || !batch.isUnsent) continue
      const isLater = (i: number) => batch.senderOf(i).token > after
      let later = 0
      for (let i = 0; i < batch.count; i++) if (isLater(i)) later++
      if (later === 0) continue
      if (later < batch.count) {
        this.#failSome(queue, batch, isLater, error)
        continue
      }
      batch.close()
      queue.reject(batch, error)
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
    while (!this.#closed && lane.inFlight < this.#settings.maxInFlight && lane.hasReady) {
      const connection = this.#cluster.openConnection(lane.id, 'data')
      if (!connection) {
        this.#connect(lane)
        return
      }
      const batches = this.#pack(lane)
      if (batches.length === 0) return
      this.#send(lane, connection, batches)
    }
  }

  #connect(lane: BrokerLane): void {
    if (!lane.startConnecting()) return
    const done = (error: Error | null) => {
      lane.endConnecting()
      if (this.#closed) return
      if (error === null) {
        this.#pump(lane)
        return
      }
      this.#settings.common.logger.debug(`Cannot connect to broker ${lane.id}: ${messageOf(error)}`)
      for (const queue of lane.takeReady()) this.#leaderless.add(queue, error)
    }
    this.#cluster.connection(lane.id, 'data').then(() => done(null), done)
  }

  /**
   * Returns the batches for the next request. A request can contain only one batch per partition.
   */
  #pack(lane: BrokerLane): QueuedBatch[] {
    const packed: QueuedBatch[] = []
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
      const batch = this.#sendable(queue)
      if (!batch) continue
      const bytes = batch.rawSize
      if (packed.length > 0 && size + bytes > this.#settings.maxRequestSize) {
        for (const q of candidates.slice(i)) lane.add(q)
        break
      }
      if (this.#settings.idempotence) queue.sequences.assign(batch, this.#identity.current!)
      batch.startAttempt()
      size += bytes
      packed.push({ queue, batch, topicId: topic!.id })
    }
    // If these partitions have more batches to send, the next request contains them.
    for (const { queue } of packed) if (!queue.isListed && queue.hasDue) lane.add(queue)
    return packed
  }

  /**
   * Returns the partition's next batch if it can be sent now. Otherwise, the event for which the
   * batch waits enqueues the partition again.
   */
  #sendable(queue: PartitionQueue): ProducerBatch | null {
    const batch = queue.next
    if (!batch?.isDue || queue.isBackingOff) return null
    const { idempotence, maxInFlight } = this.#settings
    if (!idempotence) return maxInFlight === 1 && queue.isAnyOnWire ? null : batch
    this.#maybeReset(queue)
    const identity = this.#identity.current
    if (!identity) {
      this.#anonymous.add(queue)
      this.#identity.need()
      return null
    }
    return queue.sequences.maySend(batch, identity) ? batch : null
  }

  /**
   * Starts a new epoch for the partition if the partition needs one and nothing prevents the
   * change.
   */
  #maybeReset(queue: PartitionQueue): void {
    const { sequences } = queue
    if (!sequences.canReset || !this.#identity.current) return
    if (sequences.isUsing(this.#identity.current)) this.#identity.bump()
    if (!this.#identity.current) return
    const { producerId, epoch } = this.#identity.current
    this.#settings.common.logger.info(
      `${queue.topic}-${queue.partition} continues as producer ${producerId} epoch ${epoch}, from sequence 0`,
    )
    sequences.reset(this.#identity.current)
  }

  #send(lane: BrokerLane, connection: Connection, batches: readonly QueuedBatch[]): void {
    lane.requestSent()
    const { acks } = this.#settings
    const done = (settle: () => void) => {
      lane.requestDone()
      settle()
      for (const { queue } of batches) this.#settle(queue)
      this.#pump(lane)
    }
    const failed = (error: unknown) => done(() => this.#onFailure(batches, error as Error))
    let version: number
    let input: MessageInput<typeof ProduceRequest>
    try {
      version = produceVersion(connection, batches)
      input = { acks, timeoutMs: this.#settings.common.requestTimeoutMs, topicData: topicDataOf(batches) }
      for (const { queue, batch } of batches) this.#events.topic(queue.topic)?.observeRatio(batch.ratio)
    } catch (error) {
      setImmediate(failed, error)
      return
    }
    if (acks === 0) {
      connection.send(Produce, version, input).then(
        () =>
          done(() => {
            for (const queued of batches) this.#acked(queued, -1, -1)
          }),
        failed,
      )
    } else {
      connection
        .request(Produce, version, input)
        .then(response => done(() => this.#onResponse(batches, response)), failed)
    }
  }

  #onResponse(batches: readonly QueuedBatch[], response: Message<typeof ProduceResponse>): void {
    let isMetadataStale = false
    for (const node of response.nodeEndpoints ?? []) {
      this.#cluster.metadata.addBroker({ id: node.nodeId, host: node.host, port: node.port, rack: node.rack })
    }
    for (const { queued, response: partition } of responsesTo(batches, response)) {
      const { topic, partition: index } = queued.queue
      if (!partition) {
        this.#judge(queued, NO_ANSWER, null, 'the response does not contain this partition')
        continue
      }
      const { leaderId, leaderEpoch } = partition.currentLeader
      const hasNewLeader = leaderId >= 0 && this.#cluster.metadata.updateLeader(topic, index, leaderId, leaderEpoch)
      if (!hasNewLeader && needsMetadata(partition.errorCode)) isMetadataStale = true
      const detail =
        partition.errorMessage ?? partition.recordErrors.find(e => e.batchIndexErrorMessage)?.batchIndexErrorMessage
      this.#judge(queued, partition, partition, detail ?? undefined)
    }
    if (isMetadataStale) this.#cluster.refreshSoon()
  }

  /** Handles the failure of a whole request. The broker may have written the request's batches. */
  #onFailure(batches: readonly QueuedBatch[], error: Error): void {
    if (this.#closed) return
    const retriable = isRetriable(error)
    for (const { queue, batch } of batches) {
      batch.endAttempt()
      if (batch.isDone) continue
      batch.attemptFailed(error, true)
      if (retriable && batch.attempts <= this.#settings.retries) this.#backOff(queue)
      else queue.abandon(batch, error)
    }
    if (retriable) this.#cluster.refreshSoon()
  }

  #judge(
    queued: QueuedBatch,
    answer: PartitionAnswer,
    response: Pick<PartitionResponse, 'baseOffset' | 'logAppendTimeMs' | 'recordErrors'> | null,
    detail: string | undefined,
  ): void {
    const { queue, batch } = queued
    batch.endAttempt()
    if (batch.isDone) return
    const { sequences } = queue
    const verdict = judge(answer, {
      idempotent: batch.hasSequence,
      records: batch.count,
      exhausted: batch.attempts > this.#settings.retries,
      isOvertaken: sequences.isOvertaken(batch),
      mayBeWritten: batch.mayBeWritten,
      isRenumbered: batch.isRenumbered,
      isNext: sequences.isNext(batch),
    })
    if (verdict === 'acked') {
      this.#acked(queued, response?.baseOffset ?? -1, response?.logAppendTimeMs ?? -1)
      return
    }
    const error = errorFor(answer.errorCode, detail)
    batch.attemptFailed(error, mayBeWrittenAfter(answer.errorCode))
    this.#settings.common.logger.debug(
      `${batch.count} records for ${queue.topic}-${queue.partition}, attempt ${batch.attempts}: ${verdict}: ${messageOf(error)}`,
    )
    switch (verdict) {
      case 'retry':
        this.#backOff(queue)
        return
      case 'reset':
        sequences.requestReset()
        this.#backOff(queue)
        return
      case 'split':
        queue.replace(batch, splitBatch(batch))
        return
      case 'abandoned':
        queue.abandon(batch, error)
        return
      case 'new-identity':
        this.#identity.drop()
        queue.reject(batch, error)
        return
      case 'rejected':
        this.#rejected(queued, error, response?.recordErrors ?? [])
        return
    }
  }

  /**
   * Fails a rejected batch. If the broker reports which records are invalid (KIP-467), only those
   * records fail, and the other records are sent again.
   */
  #rejected(
    { queue, batch }: QueuedBatch,
    error: Error,
    recordErrors: readonly { readonly batchIndex: number }[],
  ): void {
    const invalid = new Set(recordErrors.map(e => e.batchIndex).filter(i => i >= 0 && i < batch.count))
    if (invalid.size === 0 || invalid.size === batch.count) queue.reject(batch, error)
    else this.#failSome(queue, batch, i => invalid.has(i), error)
  }

  /** Fails some records of a batch that was not written. The other records keep their order. */
  #failSome(queue: PartitionQueue, batch: ProducerBatch, which: (index: number) => boolean, error: Error): void {
    const parts = separateRecords(batch, which)
    queue.replace(
      batch,
      parts.map(p => p.part),
    )
    for (const { part, fails } of parts) if (fails) queue.reject(part, error)
  }

  #acked({ queue, batch }: QueuedBatch, baseOffset: number, logAppendTime: number): void {
    batch.endAttempt()
    if (!batch.isDone) queue.acknowledge(batch, baseOffset, logAppendTime)
  }

  /**
   * Delivers the outcomes of a partition's batches, and enqueues the partition if it has more to
   * send.
   */
  #settle(queue: PartitionQueue): void {
    this.#deliver(queue)
    if (queue.hasDue && !queue.isBackingOff) this.enqueue(queue)
  }

  #deliver(queue: PartitionQueue): void {
    for (const batch of queue.takeDone()) {
      this.#events.onFinished(batch)
      if (batch.error && !batch.hasListener) {
        this.#settings.common.logger.warn(
          `Lost ${batch.count} records for ${queue.topic}-${queue.partition}: ${messageOf(batch.error)}`,
        )
      }
      const thrown = batch.deliver()
      if (thrown !== null) this.#settings.common.logger.error('A delivery listener threw an error', thrown)
    }
  }

  #backOff(queue: PartitionQueue): void {
    const { retryBackoffMs, retryBackoffMaxMs } = this.#settings.common
    const ms = queue.startBackoff({ initialMs: retryBackoffMs, maxMs: retryBackoffMaxMs })
    if (ms === null) return
    const timer = setTimeout(() => {
      this.#timers.delete(timer)
      queue.endBackoff()
      if (queue.hasDue) this.enqueue(queue)
    }, timerMs(ms))
    this.#timers.add(timer)
  }

  #onIdentity(error: Error | null): void {
    const waiting = [...this.#anonymous]
    this.#anonymous.clear()
    for (const queue of waiting) {
      if (error) {
        for (const b of queue.batches) if (!b.isDone && !b.isOnWire && (b.isClosed || b.isDue)) b.fail(error)
        this.#settle(queue)
      } else {
        this.enqueue(queue)
      }
    }
  }
}
