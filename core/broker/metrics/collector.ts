import { readFileSync } from 'node:fs'
import { type Family, type Metric, type Sample, single } from '../../common/metrics/metric.ts'
import { errorName } from '../../protocol/error-codes.ts'
import type { BrokerConfig } from '../config/broker-config.ts'
import type { GroupCoordinator } from '../coordinator/index.ts'
import type { LogManager } from '../log/types.ts'
import type { MetadataImage } from '../quorum/image.ts'
import { BROKER_METRICS as M } from './broker-metrics.ts'
import type { BrokerStats, TopicCounter } from './broker-stats.ts'
import type { EventLoopIdle } from './idle.ts'
import { type Census, censusOf, type LedPartition } from './partition-census.ts'

export interface BrokerCollectorOptions {
  readonly stats: BrokerStats
  readonly idle: EventLoopIdle
  readonly config: BrokerConfig
  readonly nodeId: number
  readonly image: () => MetadataImage
  readonly logs: () => LogManager
  readonly groups: () => Pick<GroupCoordinator, 'counts'>
  readonly offlineLogs: () => number
  readonly memory: () => { readonly used: number; readonly limit: number }
  readonly fetchSessions: () => { readonly size: number; readonly partitions: number }
  readonly quorum: () => { readonly epoch: number; readonly endOffset: number; readonly committedOffset: number }
  readonly stopping: () => boolean
}

const TOPIC_COUNTERS: readonly (readonly [TopicCounter, Metric])[] = [
  ['messagesIn', M.kafka_server_brokertopicmetrics_messagesin_total],
  ['bytesIn', M.kafka_server_brokertopicmetrics_bytesin_total],
  ['bytesOut', M.kafka_server_brokertopicmetrics_bytesout_total],
  ['bytesRejected', M.kafka_server_brokertopicmetrics_bytesrejected_total],
  ['produceRequests', M.kafka_server_brokertopicmetrics_totalproducerequests_total],
  ['failedProduceRequests', M.kafka_server_brokertopicmetrics_failedproducerequests_total],
  ['fetchRequests', M.kafka_server_brokertopicmetrics_totalfetchrequests_total],
  ['failedFetchRequests', M.kafka_server_brokertopicmetrics_failedfetchrequests_total],
]
const QUANTILES = [0.5, 0.75, 0.95, 0.98, 0.99, 0.999]
const QUANTILE_TEXTS = ['0.50', '0.75', '0.95', '0.98', '0.99', '0.999']
/** Values of Kafka's BrokerState. */
const RUNNING = 3
const SHUTTING_DOWN = 6

/**
 * Returns the metrics of a broker for a scrape. The function is a generator, so that a scrape of
 * many partitions does not block the event loop.
 */
export function* brokerFamilies(o: BrokerCollectorOptions): Generator<Family> {
  yield* topicFamilies(o.stats)
  yield* requestFamilies(o)
  yield* listenerFamilies(o.stats)
  const image = o.image()
  const census = censusOf(image, o.config, o.nodeId)
  yield* serverFamilies(o, census)
  yield* controllerFamilies(o, image, census)
  yield* groupFamilies(o)
  yield* partitionFamilies(o, census)
}

function* topicFamilies(stats: BrokerStats): Generator<Family> {
  const topics = stats.topics()
  for (const [counter, metric] of TOPIC_COUNTERS) {
    const samples: Sample[] = [[[''], stats.total(counter)]]
    // As in Kafka, a topic has a series only after its counter has been increased.
    for (const [name, topic] of topics) if (topic[counter] > 0) samples.push([[name], topic[counter]])
    yield { metric, samples }
  }
}

function* requestFamilies({ stats, idle, memory }: BrokerCollectorOptions): Generator<Family> {
  const apis = [...stats.apis.values()].flatMap(api => namesOf(api.name).map(name => ({ name, api })))
  yield {
    metric: M.kafka_network_requestmetrics_requests_total,
    samples: apis.flatMap(({ name, api }) =>
      api.requests.flatMap((count, version): Sample[] => [[[name, String(version)], count]]),
    ),
  }
  yield {
    metric: M.kafka_network_requestmetrics_errors_total,
    samples: [...stats.apis.values()].flatMap(api =>
      [...api.errors].map(([code, count]): Sample => [[api.name, errorName(code)], count]),
    ),
  }
  const now = performance.now()
  yield {
    metric: M.kafka_network_requestmetrics_totaltimems,
    samples: apis.flatMap(({ name, api }) =>
      api.times.quantiles(QUANTILES, now).map((ms, i): Sample => [[name, QUANTILE_TEXTS[i]!], ms]),
    ),
  }
  yield {
    metric: M.kafka_network_requestmetrics_totaltimems_count_total,
    samples: apis.map(({ name, api }): Sample => [[name], api.times.count]),
  }
  const fraction = idle.fraction()
  yield single(M.kafka_network_socketserver_networkprocessoravgidle_percent, fraction)
  yield single(M.kafka_server_kafkarequesthandlerpool_requesthandleravgidle_percent, fraction)
  const { used, limit } = memory()
  yield single(M.kafka_network_socketserver_memorypoolavailable, Math.max(0, limit - used))
  yield single(M.kafka_network_socketserver_memorypoolused, used)
}

/**
 * Returns the names under which a request is counted. Kafka also counts fetch requests from
 * consumers as FetchConsumer. In Millrace, all fetch requests come from consumers.
 */
function namesOf(api: string): string[] {
  return api === 'Fetch' ? ['Fetch', 'FetchConsumer'] : [api]
}

function* listenerFamilies(stats: BrokerStats): Generator<Family> {
  const listeners = [...stats.listeners.values()]
  // One event loop serves all connections. In Kafka's terms, it is network processor 0.
  const of = (metric: Metric, value: (l: (typeof listeners)[number]) => number): Family => ({
    metric,
    samples: listeners.map((l): Sample => [[l.name, '0'], value(l)]),
  })
  yield of(M.kafka_server_socket_server_metrics_connection_count, l => l.connections)
  yield of(M.kafka_server_socket_server_metrics_connection_creation_total, l => l.connectionsCreated)
  yield of(M.kafka_server_socket_server_metrics_connection_close_total, l => l.connectionsClosed)
  yield of(M.kafka_server_socket_server_metrics_incoming_byte_total, l => l.bytesIn)
  yield of(M.kafka_server_socket_server_metrics_outgoing_byte_total, l => l.bytesOut)
  yield of(M.kafka_server_socket_server_metrics_request_total, l => l.requests)
  yield of(M.kafka_server_socket_server_metrics_response_total, l => l.responses)
}

function* serverFamilies(o: BrokerCollectorOptions, census: Census): Generator<Family> {
  yield single(M.kafka_server_replicamanager_partitioncount, census.hosted)
  yield single(M.kafka_server_replicamanager_leadercount, census.led.length)
  yield single(M.kafka_server_replicamanager_underreplicatedpartitions, census.underReplicated)
  yield single(M.kafka_server_replicamanager_underminisrpartitioncount, census.underMinIsr)
  yield single(M.kafka_server_replicamanager_atminisrpartitioncount, census.atMinIsr)
  yield single(M.kafka_server_replicamanager_offlinereplicacount, o.offlineLogs())
  yield single(M.kafka_server_replicamanager_isrshrinks_total, o.stats.isrShrinks)
  yield single(M.kafka_server_replicamanager_isrexpands_total, o.stats.isrExpands)
  yield single(M.kafka_server_kafkaserver_brokerstate, o.stopping() ? SHUTTING_DOWN : RUNNING)
  const disk = diskBytes()
  if (disk) {
    yield single(M.kafka_server_kafkaserver_linux_disk_read_bytes, disk.read)
    yield single(M.kafka_server_kafkaserver_linux_disk_write_bytes, disk.written)
  }
  const sessions = o.fetchSessions()
  yield single(M.kafka_server_fetchsessioncache_numincrementalfetchsessions, sessions.size)
  yield single(M.kafka_server_fetchsessioncache_numincrementalfetchpartitionscached, sessions.partitions)
}

/**
 * Returns the number of bytes that this process has read from and written to disk. Returns null if
 * the system does not count them, for example in some containers.
 */
function diskBytes(): { read: number; written: number } | null {
  try {
    const text = readFileSync('/proc/self/io', 'latin1')
    const read = /^read_bytes: (\d+)$/m.exec(text)
    const written = /^write_bytes: (\d+)$/m.exec(text)
    return read && written ? { read: Number(read[1]), written: Number(written[1]) } : null
  } catch {
    return null
  }
}

function* controllerFamilies(o: BrokerCollectorOptions, image: MetadataImage, census: Census): Generator<Family> {
  const brokers = [...image.brokers.values()]
  const fenced = brokers.filter(b => b.fenced).length
  // This node is the only member of the quorum, so it is the active controller while it is running.
  yield single(M.kafka_controller_kafkacontroller_activecontrollercount, o.stopping() ? 0 : 1)
  yield single(M.kafka_controller_kafkacontroller_activebrokercount, brokers.length - fenced)
  yield single(M.kafka_controller_kafkacontroller_fencedbrokercount, fenced)
  yield single(M.kafka_controller_kafkacontroller_globaltopiccount, image.topicsByName.size)
  yield single(M.kafka_controller_kafkacontroller_globalpartitioncount, census.partitions)
  yield single(M.kafka_controller_kafkacontroller_offlinepartitionscount, census.offline)
  yield single(M.kafka_controller_kafkacontroller_preferredreplicaimbalancecount, census.imbalanced)
  const quorum = o.quorum()
  yield single(M.kafka_server_raftmetrics_current_leader, o.nodeId)
  yield single(M.kafka_server_raftmetrics_current_epoch, quorum.epoch)
  yield { metric: M.kafka_server_raftmetrics_current_state, samples: [[['leader'], 1]] }
  yield single(M.kafka_server_raftmetrics_log_end_offset, quorum.endOffset)
  yield single(M.kafka_server_raftmetrics_high_watermark, quorum.committedOffset)
}

function* groupFamilies({ groups }: BrokerCollectorOptions): Generator<Family> {
  const { byState, offsets } = groups().counts()
  const total = [...byState.values()].reduce((a, b) => a + b, 0)
  yield single(M.kafka_coordinator_group_groupmetadatamanager_numgroups, total)
  const states = [
    ['Stable', M.kafka_coordinator_group_groupmetadatamanager_numgroupsstable],
    ['PreparingRebalance', M.kafka_coordinator_group_groupmetadatamanager_numgroupspreparingrebalance],
    ['CompletingRebalance', M.kafka_coordinator_group_groupmetadatamanager_numgroupscompletingrebalance],
    ['Empty', M.kafka_coordinator_group_groupmetadatamanager_numgroupsempty],
    ['Dead', M.kafka_coordinator_group_groupmetadatamanager_numgroupsdead],
  ] as const
  for (const [state, metric] of states) yield single(metric, byState.get(state) ?? 0)
  yield single(M.kafka_coordinator_group_groupmetadatamanager_numoffsets, offsets)
}

function* partitionFamilies({ logs }: BrokerCollectorOptions, { led }: Census): Generator<Family> {
  const of = (metric: Metric, value: (p: LedPartition) => number): Family => ({ metric, samples: each(led, value) })
  yield of(M.kafka_cluster_partition_replicascount, p => p.replicas)
  yield of(M.kafka_cluster_partition_insyncreplicascount, p => p.inSync)
  yield of(M.kafka_cluster_partition_underreplicated, p => (p.inSync < p.replicas ? 1 : 0))
  yield of(M.kafka_cluster_partition_underminisr, p => (p.inSync < p.minInSync ? 1 : 0))
  yield of(M.kafka_cluster_partition_atminisr, p => (p.inSync === p.minInSync ? 1 : 0))
  const manager = logs()
  const ofLog = (metric: Metric, value: (log: NonNullable<ReturnType<LogManager['get']>>) => number): Family => ({
    metric,
    samples: each(led, p => {
      const log = manager.get(p.topic, p.partition)
      return log && value(log)
    }),
  })
  yield ofLog(M.kafka_log_log_size, log => log.sizeInBytes)
  yield ofLog(M.kafka_log_log_logstartoffset, log => log.logStartOffset)
  yield ofLog(M.kafka_log_log_logendoffset, log => log.logEndOffset)
  yield ofLog(M.kafka_log_log_numlogsegments, log => log.segmentCount)
}

function* each(led: readonly LedPartition[], value: (p: LedPartition) => number | undefined): Generator<Sample> {
  for (const p of led) {
    const now = value(p)
    if (now !== undefined) yield [[p.topic, String(p.partition)], now]
  }
}
