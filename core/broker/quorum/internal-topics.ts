import type { BrokerConfig } from '../config/broker-config.ts'
import type { NewTopic } from './controller-api.ts'
import { OFFSETS_TOPIC, TRANSACTION_TOPIC } from './topic-names.ts'

/**
 * Returns how an internal topic is created, or null if the topic is not internal. An internal topic
 * has as many replicas as there are brokers, up to the configured number. (With fewer brokers than
 * the configured number, Kafka does not create the topic.)
 */
export function internalTopic(name: string, config: BrokerConfig, brokers: number): NewTopic | null {
  const v = config.values
  const configs = (values: Record<string, unknown>) =>
    Object.entries(values).map(([key, value]) => ({ name: key, value: String(value) }))
  if (name === OFFSETS_TOPIC)
    return {
      name,
      numPartitions: v['offsets.topic.num.partitions'],
      replicationFactor: Math.min(v['offsets.topic.replication.factor'], Math.max(brokers, 1)),
      assignments: [],
      configs: configs({
        'cleanup.policy': 'compact',
        'compression.type': 'producer',
        'segment.bytes': v['offsets.topic.segment.bytes'],
      }),
    }
  if (name === TRANSACTION_TOPIC)
    return {
      name,
      numPartitions: v['transaction.state.log.num.partitions'],
      replicationFactor: Math.min(v['transaction.state.log.replication.factor'], Math.max(brokers, 1)),
      assignments: [],
      configs: configs({
        'cleanup.policy': 'compact',
        'compression.type': 'uncompressed',
        'min.insync.replicas': Math.min(v['transaction.state.log.min.isr'], Math.max(brokers, 1)),
        'segment.bytes': v['transaction.state.log.segment.bytes'],
        'unclean.leader.election.enable': false,
      }),
    }
  return null
}
