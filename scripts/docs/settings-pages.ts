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

/** Keys of the broker and of topics that are accepted and checked, and that nothing reads: most belong to what is not there yet. */
const IDLE = new Set([
  // one node: nothing is replicated, moved or elected
  'controlled.shutdown.enable',
  'min.insync.replicas',
  'unclean.leader.election.enable',
  'auto.leader.rebalance.enable',
  'leader.imbalance.check.interval.seconds',
  'replica.lag.time.max.ms',
  'replica.fetch.max.bytes',
  'replica.high.watermark.checkpoint.interval.ms',
  'request.timeout.ms',
  'security.inter.broker.protocol',
  'follower.replication.throttled.replicas',
  'leader.replication.throttled.replicas',
  // the metadata log has no snapshots
  'metadata.log.segment.ms',
  'metadata.log.max.record.bytes.between.snapshots',
  'metadata.log.max.snapshot.interval.ms',
  'metadata.max.retention.bytes',
  'metadata.max.retention.ms',
  // the log
  'compression.gzip.level',
  'compression.lz4.level',
  'compression.zstd.level',
  'log.flush.offset.checkpoint.interval.ms',
  'log.flush.start.offset.checkpoint.interval.ms',
  'log.preallocate',
  'preallocate',
  'log.dir.failure.timeout.ms',
  'num.recovery.threads.per.data.dir',
  // no tiered storage
  'log.local.retention.bytes',
  'log.local.retention.ms',
  'local.retention.bytes',
  'local.retention.ms',
  'remote.log.copy.disable',
  'remote.log.delete.on.disable',
  // classic groups only, no transactions
  'group.coordinator.rebalance.protocols',
  ...Object.keys(TRANSACTION_CONFIG).filter(key => key.startsWith('transaction')),
])

const NOTE =
  'Keys marked *No effect* are known and their values checked, and nothing follows: they are for what Millrace does in another way or does not have yet.'

type Section = readonly [title: string, config: ConfigDef, text?: string]

function page(title: string, text: string, sections: readonly Section[], idle: ReadonlySet<string>): string {
  const parts = sections.map(
    ([heading, config, intro]) => `## ${heading}\n\n${intro ? `${intro}\n\n` : ''}${keysTable(config, idle)}`,
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
  const known = new Set(sections.flatMap(([, config]) => Object.keys(config)))
  const gone = [...IDLE].filter(key => !known.has(key))
  if (gone.length > 0) throw new Error(`no such keys of the broker or of topics: ${gone.join(', ')}`)
  return page(
    'Configuration of the broker and of topics',
    "`millrace broker server.properties` takes Kafka's keys, with Kafka's names, types and defaults. Unknown keys are warned of.",
    sections,
    IDLE,
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
    new Set(),
  )
}

/** The pages of what is set in `server.properties`, for topics, in `worker.properties` and for every connector. */
export function settingsPages(): [path: string, text: string][] {
  return [
    ['docs/broker.md', brokerPage()],
    ['docs/worker.md', workerPage()],
  ]
}
