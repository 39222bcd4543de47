import { GROUP_CONFIG, MILLRACE_CONFIG, TRANSACTION_CONFIG } from '../../core/broker/config/defs/groups.ts'
import { LOG_CONFIG } from '../../core/broker/config/defs/log.ts'
import { NETWORK_CONFIG } from '../../core/broker/config/defs/network.ts'
import { NODE_CONFIG } from '../../core/broker/config/defs/node.ts'
import { TOPIC_CONFIG } from '../../core/broker/config/topic-config.ts'
import type { ConfigDef } from '../../core/common/config/define.ts'
import { commonKeys, restKeys, standaloneKeys } from '../../core/worker/config/common-keys.ts'
import { commonConnectorKeys } from '../../core/worker/config/connector-keys.ts'
import { distributedKeys } from '../../core/worker/config/distributed-keys.ts'
import type { RuntimeKey } from '../../core/worker/config/runtime-keys.ts'
import { sinkKeys, sourceKeys } from '../../core/worker/config/source-sink-keys.ts'
import { keysTable } from './render.ts'

const NOTE =
  'Keys marked *No effect* are known and their values checked, and nothing follows: they are for what Millrace does in another way or does not have yet.'

type Section = readonly [title: string, config: ConfigDef, text?: string]

function page(title: string, text: string, sections: readonly Section[]): string {
  const parts = sections.map(
    ([heading, config, intro]) => `## ${heading}\n\n${intro ? `${intro}\n\n` : ''}${keysTable(config)}`,
  )
  return [`# ${title}\n`, `${text} ${NOTE}\n`, ...parts].join('\n')
}

function brokerPage(): string {
  const sections: Section[] = [
    ['The node', NODE_CONFIG],
    ['Network', NETWORK_CONFIG],
    ['Logs, and the defaults of topics', LOG_CONFIG],
    ['Groups and their offsets', GROUP_CONFIG],
    ['Producers and transactions', TRANSACTION_CONFIG],
    ["Millrace's own", MILLRACE_CONFIG],
    [
      'Topics',
      TOPIC_CONFIG,
      "Set with the topic or later, by any client. A topic's default is the broker's setting where there is one, such as `log.retention.ms` for `retention.ms`.",
    ],
  ]
  return page(
    'Configuration of the broker and of topics',
    "`millrace broker server.properties` takes Kafka's keys, with Kafka's names, types and defaults. Unknown keys are warned of.",
    sections,
  )
}

function asConfig(keys: readonly RuntimeKey[]): ConfigDef {
  return Object.fromEntries(
    keys.map(key => [
      key.name,
      {
        type: key.type,
        ...(key.default !== undefined && { default: key.default }),
        importance: key.importance,
        documentation: key.documentation,
      },
    ]),
  )
}

function workerPage(): string {
  const common = commonConnectorKeys()
  const without = (keys: readonly RuntimeKey[]) => keys.filter(key => !common.some(c => c.name === key.name))
  const sections: Section[] = [
    ['Every worker', commonKeys],
    ['REST', restKeys],
    ['A worker of a group', distributedKeys, 'For `millrace connect-distributed`.'],
    ['A standalone worker', standaloneKeys, 'For `millrace connect-standalone`.'],
    [
      'Every connector',
      asConfig(common),
      'What a connector is configured with beside the keys of [its own page](connectors).',
    ],
    ['Every source', asConfig(without(sourceKeys())), '`topic.creation.GROUP.*` follow as in Connect.'],
    ['Every sink', asConfig(without(sinkKeys()))],
  ]
  return page(
    'Configuration of a worker, and of every connector',
    "The worker's properties are Connect's. Settings of its clients stand there too, plain for its own and with `producer.`, `consumer.` or `admin.` in front for those of tasks.",
    sections,
  )
}

/** The pages of what is set in `server.properties`, for topics, in `worker.properties` and for every connector. */
export function settingsPages(): [path: string, text: string][] {
  return [
    ['docs/broker.md', brokerPage()],
    ['docs/worker.md', workerPage()],
  ]
}
