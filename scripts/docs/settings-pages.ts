import { GROUP_CONFIG, MILLRACE_CONFIG, TRANSACTION_CONFIG } from '../../core/broker/config/defs/groups.ts'
import { LOG_CONFIG } from '../../core/broker/config/defs/log.ts'
import { NETWORK_CONFIG } from '../../core/broker/config/defs/network.ts'
import { NODE_CONFIG } from '../../core/broker/config/defs/node.ts'
import { TOPIC_CONFIG } from '../../core/broker/config/topic-config.ts'
import { adminKeys } from '../../core/client/config/admin-keys.ts'
import { commonClientConfig } from '../../core/client/config/common-keys.ts'
import { consumerKeys } from '../../core/client/config/consumer-keys.ts'
import { producerKeys } from '../../core/client/config/producer-keys.ts'
import { securityConfig } from '../../core/client/config/security-keys.ts'
import type { ConfigDef } from '../../core/common/config/define.ts'
import { commonKeys, standaloneKeys } from '../../core/worker/config/common-keys.ts'
import { commonConnectorKeys } from '../../core/worker/config/connector-keys.ts'
import { distributedKeys } from '../../core/worker/config/distributed-keys.ts'
import { restKeys } from '../../core/worker/config/rest-keys.ts'
import { sinkKeys, sourceKeys } from '../../core/worker/config/source-sink-keys.ts'
import { keysTable, wrapped } from './render.ts'

const NOTE = 'Keys marked *No effect* are accepted, and their values are checked, but they change nothing.'

type Section = readonly [title: string, config: ConfigDef, text?: string]

function page(title: string, text: string, sections: readonly Section[]): string {
  const parts = sections.map(
    ([heading, config, intro]) => `## ${heading}\n\n${intro ? `${wrapped(intro)}\n\n` : ''}${keysTable(config)}`,
  )
  return [`# ${title}\n`, `${wrapped(`${text} ${NOTE}`)}\n`, ...parts].join('\n')
}

function brokerPage(): string {
  const sections: Section[] = [
    ['The node', NODE_CONFIG],
    ['Network', NETWORK_CONFIG],
    ['Logs, and the defaults of topics', LOG_CONFIG],
    ['Groups and their offsets', GROUP_CONFIG],
    ['Producers and transactions', TRANSACTION_CONFIG],
    ['Millrace only', MILLRACE_CONFIG, 'Kafka does not have these keys.'],
    [
      'Topics',
      TOPIC_CONFIG,
      'Set these keys when you create a topic, or change them later with any Kafka client. The default of many keys is a setting of the broker, such as `log.retention.ms` for `retention.ms`.',
    ],
  ]
  return page(
    'Configuration of the broker and of topics',
    "`millrace broker server.properties` takes Kafka's keys, with Kafka's names, types and defaults.\nThe broker logs a warning for each unknown key.",
    sections,
  )
}

function clientPage(): string {
  const sections: Section[] = [
    ['Every client', commonClientConfig],
    ['Producer', producerKeys],
    ['Consumer', consumerKeys],
    ['Admin', adminKeys],
    ['TLS and SASL', securityConfig, 'This version connects to brokers without TLS and SASL.'],
  ]
  const text = [
    "This page lists the settings of producers, consumers and admin clients. They have Kafka's names, types and defaults.",
    'In a program, use the name in the column *option*: `createProducer({ bootstrapServers: [...], lingerMs: 20 })`.',
    'In `worker.properties`, put `producer.`, `consumer.` or `admin.` before the key to configure the clients of all tasks.',
    'In the configuration of one connector, put `producer.override.`, `consumer.override.` or `admin.override.` before the key.',
  ]
  return page('Settings of clients', text.join('\n'), sections)
}

function workerPage(): string {
  const common = commonConnectorKeys()
  const sections: Section[] = [
    ['Every worker', commonKeys],
    ['REST', restKeys],
    ['A distributed worker', distributedKeys, 'These keys apply to `millrace connect-distributed`.'],
    ['A standalone worker', standaloneKeys, 'These keys apply to `millrace connect-standalone`.'],
    [
      'Every connector',
      common,
      'These keys apply to every connector. The [page of each connector](connectors) lists its own keys.',
    ],
    ['Every source', sourceKeys, 'The settings of a topic creation group are `topic.creation.GROUP.*`, as in Connect.'],
    ['Every sink', sinkKeys],
  ]
  return page(
    'Configuration of a worker, and of every connector',
    [
      "A worker takes Connect's properties. The file also contains [settings of clients](client.md).",
      "Without a prefix, they configure the worker's own clients. With the prefix `producer.`, `consumer.` or `admin.`,",
      'they configure the clients of all tasks. A connector can override them for its tasks with `producer.override.`,',
      '`consumer.override.` or `admin.override.`, if `connector.client.config.override.policy` allows it.',
    ].join('\n'),
    sections,
  )
}

/**
 * Returns the pages with the settings of the broker and topics, of the worker and every connector,
 * and of clients.
 */
export function settingsPages(): [path: string, text: string][] {
  return [
    ['docs/broker.md', brokerPage()],
    ['docs/worker.md', workerPage()],
    ['docs/client.md', clientPage()],
  ]
}
