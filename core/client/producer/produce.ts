import { ProduceRequest, ProduceResponse } from '../../protocol/messages/00-produce.ts'
import type { Message, MessageInput } from '../../protocol/schema/declare.ts'
import { ZERO_UUID } from '../../protocol/uuid.ts'
import { defineApi } from '../net/api.ts'
import type { Connection } from '../net/connection.ts'
import type { ProducerBatch } from './batch.ts'
import type { PartitionQueue } from './partition-queue.ts'

export const Produce = defineApi(ProduceRequest, ProduceResponse)

/** One batch in a Produce request. */
export interface Parcel {
  readonly queue: PartitionQueue
  readonly batch: ProducerBatch
  readonly topicId: string
}

/** What a response says of one partition. */
export type ProduceAnswer = Message<typeof ProduceResponse>['responses'][number]['partitionResponses'][number]

/** The version in which these can be sent: by topic ids only where all are known. */
export function produceVersion(connection: Connection, parcels: readonly Parcel[]): number {
  return connection.version(Produce, parcels.some(p => p.topicId === ZERO_UUID) ? 12 : undefined)
}

export function topicDataOf(parcels: readonly Parcel[]): NonNullable<MessageInput<typeof ProduceRequest>['topicData']> {
  const topics = new Map<
    string,
    { name: string; topicId: string; partitionData: { index: number; records: Buffer }[] }
  >()
  for (const { queue, batch, topicId } of parcels) {
    let topic = topics.get(queue.topic)
    if (!topic) topics.set(queue.topic, (topic = { name: queue.topic, topicId, partitionData: [] }))
    topic.partitionData.push({ index: queue.partition, records: batch.encode() })
  }
  return [...topics.values()]
}

/** Finds the answer to each parcel, whether the response speaks of topics by name or by id; null where it leaves one out. */
export function answersTo(
  parcels: readonly Parcel[],
  response: Message<typeof ProduceResponse>,
): { readonly parcel: Parcel; readonly answer: ProduceAnswer | null }[] {
  const answers = new Map<string, ProduceAnswer>()
  for (const t of response.responses) {
    for (const p of t.partitionResponses) answers.set(`${t.name || t.topicId}:${p.index}`, p)
  }
  return parcels.map(parcel => {
    const { topic, partition } = parcel.queue
    const answer = answers.get(`${topic}:${partition}`) ?? answers.get(`${parcel.topicId}:${partition}`) ?? null
    return { parcel, answer }
  })
}
