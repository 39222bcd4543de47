import { ProduceRequest, ProduceResponse } from '../../protocol/messages/00-produce.ts'
import type { Message, MessageInput } from '../../protocol/schema/declare.ts'
import { ZERO_UUID } from '../../protocol/uuid.ts'
import { defineApi } from '../net/api.ts'
import type { Connection } from '../net/connection.ts'
import type { ProducerBatch } from './batch.ts'
import type { PartitionQueue } from './partition-queue.ts'

export const Produce = defineApi(ProduceRequest, ProduceResponse)

/** The last version of Produce that identifies topics by name. Later versions use topic ids. */
const LAST_VERSION_WITH_NAMES = 12

/** A batch in a Produce request, with its partition. */
export interface QueuedBatch {
  readonly queue: PartitionQueue
  readonly batch: ProducerBatch
  readonly topicId: string
}

/** The part of a Produce response that is about one partition. */
export type PartitionResponse = Message<typeof ProduceResponse>['responses'][number]['partitionResponses'][number]

/**
 * Returns the version for a Produce request. Versions with topic ids require that the ids of all
 * topics are known.
 */
export function produceVersion(connection: Connection, batches: readonly QueuedBatch[]): number {
  const areIdsKnown = batches.every(b => b.topicId !== ZERO_UUID)
  return connection.version(Produce, areIdsKnown ? undefined : LAST_VERSION_WITH_NAMES)
}

export function topicDataOf(
  batches: readonly QueuedBatch[],
): NonNullable<MessageInput<typeof ProduceRequest>['topicData']> {
  const topics = new Map<
    string,
    { name: string; topicId: string; partitionData: { index: number; records: Buffer }[] }
  >()
  for (const { queue, batch, topicId } of batches) {
    let topic = topics.get(queue.topic)
    if (!topic) topics.set(queue.topic, (topic = { name: queue.topic, topicId, partitionData: [] }))
    topic.partitionData.push({ index: queue.partition, records: batch.encode() })
  }
  return [...topics.values()]
}

/**
 * Returns, for each batch, the part of the response about the batch's partition. It is null if the
 * response does not contain the partition.
 */
export function responsesTo(
  batches: readonly QueuedBatch[],
  response: Message<typeof ProduceResponse>,
): { readonly queued: QueuedBatch; readonly response: PartitionResponse | null }[] {
  // Depending on its version, the response identifies topics by name or by id.
  const responses = new Map<string, PartitionResponse>()
  for (const t of response.responses) {
    for (const p of t.partitionResponses) responses.set(`${t.name || t.topicId}:${p.index}`, p)
  }
  return batches.map(queued => {
    const { topic, partition } = queued.queue
    const found = responses.get(`${topic}:${partition}`) ?? responses.get(`${queued.topicId}:${partition}`) ?? null
    return { queued, response: found }
  })
}
