import { messageOf } from '../../common/errors/error-table.ts'
import type { Logger } from '../../common/log.ts'
import { ErrorCode, errorFor } from '../../protocol/error-codes.ts'
import type { BrokerConfig } from '../config/broker-config.ts'
import { dynamicConfigs } from '../config/dynamic.ts'
import { brokerErrors } from '../errors.ts'
import type { Partitions } from '../partitions.ts'
import { applyChange } from './apply.ts'
import type { ConfigChange, Controller, NewPartitions, NewTopic, Outcome, ProducerIdBlock } from './controller-api.ts'
import { decideAlterConfigs } from './decide-configs.ts'
import {
  type Decision,
  type DecisionContext,
  decideCreatePartitions,
  decideCreateTopics,
  decideDeleteTopics,
} from './decide-topics.ts'
import { EMPTY_IMAGE, type ImageDelta, type MetadataImage, type TopicImage } from './image.ts'
import { internalTopic } from './internal-topics.ts'
import { randomUuid } from './meta-properties.ts'
import type { MetadataLog } from './metadata-log.ts'
import { type ImageListener, Publisher } from './publisher.ts'
import { type MetadataRecord, record } from './records.ts'
import { type Election, electionRecords, type Registration, startRecords } from './registration.ts'
import { Replay } from './replay.ts'

interface QuorumOptions {
  readonly log: Pick<MetadataLog, 'endOffset' | 'restore' | 'replay' | 'append' | 'appendLeaderChange'>
  readonly config: BrokerConfig
  readonly nodeId: number
  readonly partitions: Pick<Partitions, 'create' | 'update'>
  readonly logger: Logger
  readonly now: () => number
}

/** Kafka's MAX_RECORDS_PER_USER_OP: what one request may write, so that it is one batch and takes effect as a whole. */
const MAX_RECORDS = 10_000
/** Kafka's ProducerIdsBlock.PRODUCER_ID_BLOCK_SIZE. */
const PRODUCER_ID_BLOCK = 1000

/**
 * The controller of a quorum of one: decide, commit, publish. Changes run one after another: decide
 * (pure) on the committed image, append the records, and they are committed. The publisher then
 * makes the effects and shows the image; the next change does not wait for that, but the answer to
 * this one does.
 */
export class QuorumController implements Controller {
  readonly #o: QuorumOptions
  /** Everything in the metadata log. */
  #committed: MetadataImage = EMPTY_IMAGE
  readonly #publisher: Publisher
  #epoch = 0
  /** The end of the line: each change waits for the one before. */
  #last: Promise<unknown> = Promise.resolve()
  readonly #ensuring = new Map<string, Promise<Outcome<TopicImage>>>()

  constructor(o: QuorumOptions) {
    this.#o = o
    this.#publisher = new Publisher(o.partitions, o.logger)
  }

  /** The published metadata: everything in it exists. */
  get image(): MetadataImage {
    return this.#publisher.image
  }

  onImage(listener: ImageListener): () => void {
    return this.#publisher.onImage(listener)
  }

  /**
   * Restores the newest snapshot, replays the log after it, takes the lead in a new epoch, and
   * registers this broker, which is elected leader of the partitions that `toElect` names. Gives
   * the ids of the topics that the log says were deleted. Throws MR_BROKER_METADATA_*.
   */
  async start(
    registration: Registration,
    toElect: (image: MetadataImage) => Election[] = () => [],
  ): Promise<ReadonlySet<string>> {
    const replay = await this.#replay(await this.#o.log.restore())
    this.#committed = replay.image
    this.#epoch = replay.image.epoch + 1
    try {
      const now = this.#o.now()
      await this.#o.log.appendLeaderChange(this.#epoch, now)
      if (replay.inTransaction) await this.#write([record('AbortTransaction', { reason: 'its writer is gone' })])
      await this.#write(startRecords(this.#committed, registration, this.#o.log.endOffset))
      const records = electionRecords(this.#o.nodeId, toElect(this.#committed))
      for (let i = 0; i < records.length; i += MAX_RECORDS) await this.#write(records.slice(i, i + MAX_RECORDS))
      this.#publisher.begin(this.#committed)
      return replay.removedTopics
    } catch (cause) {
      throw brokerErrors.create('MR_BROKER_METADATA_WRITE', { cause: messageOf(cause) }, { cause })
    }
  }

  async #replay(from: MetadataImage): Promise<Replay> {
    const replay = new Replay(from)
    for await (const batch of this.#o.log.replay(from.offset + 1)) {
      try {
        replay.add(batch)
      } catch (cause) {
        const what = { dir: this.#o.config.metadataDir, offset: batch.lastOffset, cause: messageOf(cause) }
        throw brokerErrors.create('MR_BROKER_METADATA_CORRUPT', what, { cause })
      }
    }
    return replay
  }

  /** Appends the records, which commits them. The resulting image is not published yet. */
  async #write(records: readonly MetadataRecord[]): Promise<ImageDelta> {
    const timestamp = this.#o.now()
    const offset = await this.#o.log.append(records, this.#epoch, timestamp)
    const { image, delta } = applyChange(this.#committed, records, { offset, epoch: this.#epoch, timestamp })
    this.#committed = image
    return delta
  }

  #inLine<T>(task: () => Promise<T>): Promise<T> {
    const result = this.#last.then(task)
    this.#last = result.catch(() => undefined)
    return result
  }

  #context(): DecisionContext {
    return {
      image: this.#committed,
      config: this.#o.config,
      dynamic: dynamicConfigs(this.#committed, this.#o.nodeId),
      newId: randomUuid,
    }
  }

  async #change<T>(decide: (ctx: DecisionContext) => Decision<T>, validateOnly = false): Promise<Outcome<T>[]> {
    const { outcomes, published } = await this.#inLine(async () => {
      const { records, outcomes } = decide(this.#context())
      if (records.length > MAX_RECORDS) {
        const message = 'Unable to perform excessively large batch operation.'
        const error = { code: ErrorCode.POLICY_VIOLATION, message }
        return { outcomes: outcomes.map(o => (o.error ? o : { error })), published: null }
      }
      const published = records.length > 0 && !validateOnly ? await this.#commit(records) : null
      return { outcomes: [...outcomes], published }
    })
    await published?.done
    return outcomes
  }

  /**
   * Resolves once the records are committed; `done` once they are published (in an object: a
   * promise would be awaited).
   */
  async #commit(records: readonly MetadataRecord[]): Promise<{ done: Promise<void> }> {
    try {
      const delta = await this.#write(records)
      return { done: this.#publisher.publish(this.#committed, delta) }
    } catch (cause) {
      this.#o.logger.error('The metadata log cannot be written; the change was refused', cause)
      await this.#catchUp()
      throw errorFor(ErrorCode.KAFKA_STORAGE_ERROR, `Cannot write to the metadata log: ${messageOf(cause)}`, { cause })
    }
  }

  /** After a failed write: what nevertheless reached the log counts, since a restart would read it. */
  async #catchUp(): Promise<void> {
    if (this.#o.log.endOffset <= this.#committed.offset + 1) return
    const replay = await this.#replay(this.#committed)
    this.#committed = replay.image
    await this.#publisher.publish(replay.image, replay.delta)
  }

  /** Waits until the current change is committed and published. Allows no further change. */
  async close(): Promise<void> {
    await this.#last
    await this.#publisher.idle()
  }

  createTopics(topics: readonly NewTopic[], o?: { validateOnly?: boolean }): Promise<Outcome<TopicImage>[]> {
    return this.#change(ctx => decideCreateTopics(ctx, topics), o?.validateOnly)
  }

  deleteTopics(ids: readonly string[]): Promise<Outcome<TopicImage>[]> {
    return this.#change(ctx => decideDeleteTopics(ctx, ids))
  }

  createPartitions(topics: readonly NewPartitions[], o?: { validateOnly?: boolean }): Promise<Outcome<TopicImage>[]> {
    return this.#change(ctx => decideCreatePartitions(ctx, topics), o?.validateOnly)
  }

  alterConfigs(changes: readonly ConfigChange[], o?: { validateOnly?: boolean }): Promise<Outcome<null>[]> {
    return this.#change(ctx => decideAlterConfigs(ctx, changes), o?.validateOnly)
  }

  async allocateProducerIds(): Promise<ProducerIdBlock> {
    const { first, done } = await this.#inLine(async () => {
      const first = this.#committed.nextProducerId
      const brokerEpoch = this.#committed.brokers.get(this.#o.nodeId)?.epoch ?? -1
      const nextProducerId = first + PRODUCER_ID_BLOCK
      const { done } = await this.#commit([
        record('ProducerIds', { brokerId: this.#o.nodeId, brokerEpoch, nextProducerId }),
      ])
      return { first, done }
    })
    await done
    return { first, count: PRODUCER_ID_BLOCK }
  }

  ensureTopic(name: string): Promise<Outcome<TopicImage>> {
    const there = this.image.topicsByName.get(name)
    if (there) return Promise.resolve({ error: null, value: there })
    const running = this.#ensuring.get(name)
    if (running) return running
    const made = this.#ensure(name).finally(() => this.#ensuring.delete(name))
    this.#ensuring.set(name, made)
    return made
  }

  async #ensure(name: string): Promise<Outcome<TopicImage>> {
    const plain = { name, numPartitions: -1, replicationFactor: -1, assignments: [], configs: [] }
    const topic = internalTopic(name, this.#o.config, this.image.brokers.size) ?? plain
    const [outcome] = await this.createTopics([topic])
    const there = this.image.topicsByName.get(name)
    // somebody else may have made it in between
    return there ? { error: null, value: there } : outcome!
  }
}
