import { messageOf } from '../../common/errors/error-table.ts'
import { ErrorCode, errorFor } from '../../protocol/error-codes.ts'
import { clientErrors } from '../errors.ts'
import type { PartitionInfo } from '../types.ts'
import type { Cluster } from './cluster.ts'
import type { TopicState } from './metadata.ts'

/** Returns the topic's error if waiting cannot resolve the error; otherwise null. */
export function fatalTopicError(state: TopicState | undefined): Error | null {
  const code = state?.errorCode ?? 0
  if (code !== ErrorCode.INVALID_TOPIC_EXCEPTION && code !== ErrorCode.TOPIC_AUTHORIZATION_FAILED) return null
  return errorFor(code, `${errorFor(code).detail} Topic: ${state!.name}`)
}

/**
 * Waits until the metadata contains a topic, and returns the topic. The Metadata request creates
 * the topic if the broker creates topics automatically.
 */
export async function awaitTopic(cluster: Cluster, topic: string, timeoutMs: number): Promise<TopicState> {
  const isNew = cluster.track([topic])
  let first = isNew
  return cluster.until(
    () => {
      if (first) {
        first = false
        return null
      }
      const fatal = fatalTopicError(cluster.metadata.topics.get(topic))
      if (fatal) {
        // Discard the error, so that the next call asks the broker again.
        cluster.metadata.forget(topic)
        throw fatal
      }
      return cluster.metadata.topic(topic)
    },
    timeoutMs,
    cause => {
      const code = cluster.metadata.topics.get(topic)?.errorCode
      const why = cause ? messageOf(cause) : code ? errorFor(code).detail : 'it does not exist'
      return clientErrors.create(
        'MR_CLIENT_METADATA_TIMEOUT',
        { topic, ms: timeoutMs, cause: why },
        cause ? { cause } : undefined,
      )
    },
  )
}

export function partitionInfos(state: TopicState): PartitionInfo[] {
  return state.partitions.map(p => ({
    topic: state.name,
    partition: p.partition,
    leader: p.leader,
    replicas: p.replicas,
    isr: p.isr,
  }))
}

export async function topicPartitions(cluster: Cluster, topic: string, timeoutMs: number): Promise<PartitionInfo[]> {
  return partitionInfos(await awaitTopic(cluster, topic, timeoutMs))
}
