import { defineMetrics } from '../../common/metrics/metric.ts'

const TOPIC = ['topic']
const PARTITION = ['topic', 'partition']
const LISTENER = ['listener', 'networkProcessor']

/**
 * The metrics of a broker. Their names are those that the JMX exporter, with its usual rules, gives
 * to Kafka's MBeans.
 */
export const BROKER_METRICS = defineMetrics({
  kafka_server_brokertopicmetrics_messagesin_total: ['counter', 'Records produced, in total and per topic.', TOPIC],
  kafka_server_brokertopicmetrics_bytesin_total: ['counter', 'Bytes produced, in total and per topic.', TOPIC],
  kafka_server_brokertopicmetrics_bytesout_total: ['counter', 'Bytes fetched, in total and per topic.', TOPIC],
  kafka_server_brokertopicmetrics_bytesrejected_total: [
    'counter',
    'Bytes of batches that were rejected as too large, in total and per topic.',
    TOPIC,
  ],
  kafka_server_brokertopicmetrics_totalproducerequests_total: [
    'counter',
    'Produce requests, counted once per partition, in total and per topic.',
    TOPIC,
  ],
  kafka_server_brokertopicmetrics_failedproducerequests_total: [
    'counter',
    'Produce requests that failed in the broker, counted once per partition, in total and per topic.',
    TOPIC,
  ],
  kafka_server_brokertopicmetrics_totalfetchrequests_total: [
    'counter',
    'Fetch requests, counted once per partition, in total and per topic.',
    TOPIC,
  ],
  kafka_server_brokertopicmetrics_failedfetchrequests_total: [
    'counter',
    'Fetch requests that failed in the broker, counted once per partition, in total and per topic.',
    TOPIC,
  ],

  kafka_network_requestmetrics_requests_total: ['counter', 'Requests by API and version.', ['request', 'version']],
  kafka_network_requestmetrics_errors_total: [
    'counter',
    'Responses by API and error code, including NONE. Produce and Fetch are counted once per partition.',
    ['request', 'error'],
  ],
  kafka_network_requestmetrics_totaltimems: [
    'gauge',
    'Quantiles of the time from the last byte of a request to its response, in milliseconds, over one to two minutes.',
    ['request', 'quantile'],
  ],
  kafka_network_requestmetrics_totaltimems_count_total: ['counter', 'Requests measured in totaltimems.', ['request']],
  kafka_network_socketserver_networkprocessoravgidle_percent: [
    'gauge',
    'The idle fraction, from 0 to 1, of the event loop that serves the network.',
  ],
  kafka_server_kafkarequesthandlerpool_requesthandleravgidle_percent: [
    'gauge',
    'The idle fraction, from 0 to 1, of the event loop that handles requests. The network uses the same event loop.',
  ],
  kafka_network_socketserver_memorypoolavailable: ['gauge', 'Bytes of memory still available for requests.'],
  kafka_network_socketserver_memorypoolused: ['gauge', 'Bytes of requests that have not been answered yet.'],

  kafka_server_socket_server_metrics_connection_count: ['gauge', 'Open connections.', LISTENER],
  kafka_server_socket_server_metrics_connection_creation_total: ['counter', 'Connections that were opened.', LISTENER],
  kafka_server_socket_server_metrics_connection_close_total: ['counter', 'Connections that were closed.', LISTENER],
  kafka_server_socket_server_metrics_incoming_byte_total: ['counter', 'Bytes that were received.', LISTENER],
  kafka_server_socket_server_metrics_outgoing_byte_total: ['counter', 'Bytes that were sent.', LISTENER],
  kafka_server_socket_server_metrics_request_total: ['counter', 'Requests that were received.', LISTENER],
  kafka_server_socket_server_metrics_response_total: ['counter', 'Responses that were sent.', LISTENER],

  kafka_server_replicamanager_partitioncount: ['gauge', 'Partitions with a replica on this broker.'],
  kafka_server_replicamanager_leadercount: ['gauge', 'Partitions that this broker leads.'],
  kafka_server_replicamanager_underreplicatedpartitions: [
    'gauge',
    'Partitions led by this broker that have fewer in-sync replicas than replicas.',
  ],
  kafka_server_replicamanager_underminisrpartitioncount: [
    'gauge',
    'Partitions led by this broker that have fewer in-sync replicas than min.insync.replicas.',
  ],
  kafka_server_replicamanager_atminisrpartitioncount: [
    'gauge',
    'Partitions led by this broker that have exactly min.insync.replicas in-sync replicas.',
  ],
  kafka_server_replicamanager_offlinereplicacount: ['gauge', 'Partitions whose log could not be opened.'],
  kafka_server_replicamanager_isrshrinks_total: [
    'counter',
    'Changes that removed a replica from the in-sync replicas.',
  ],
  kafka_server_replicamanager_isrexpands_total: ['counter', 'Changes that added a replica to the in-sync replicas.'],
  kafka_server_kafkaserver_brokerstate: ['gauge', 'The state of the broker: 3 is running, 6 is shutting down.'],
  kafka_server_kafkaserver_linux_disk_read_bytes: ['gauge', 'Bytes that the process read from disks (Linux).'],
  kafka_server_kafkaserver_linux_disk_write_bytes: ['gauge', 'Bytes that the process wrote to disks (Linux).'],
  kafka_server_fetchsessioncache_numincrementalfetchsessions: ['gauge', 'Open fetch sessions.'],
  kafka_server_fetchsessioncache_numincrementalfetchpartitionscached: ['gauge', 'Partitions in fetch sessions.'],

  kafka_controller_kafkacontroller_activecontrollercount: ['gauge', '1 while this node is the active controller.'],
  kafka_controller_kafkacontroller_activebrokercount: ['gauge', 'Registered brokers that are not fenced.'],
  kafka_controller_kafkacontroller_fencedbrokercount: ['gauge', 'Registered brokers that are fenced.'],
  kafka_controller_kafkacontroller_globaltopiccount: ['gauge', 'Topics of the cluster.'],
  kafka_controller_kafkacontroller_globalpartitioncount: ['gauge', 'Partitions of the cluster.'],
  kafka_controller_kafkacontroller_offlinepartitionscount: ['gauge', 'Partitions without a leader.'],
  kafka_controller_kafkacontroller_preferredreplicaimbalancecount: [
    'gauge',
    'Partitions whose leader is not their preferred replica.',
  ],
  kafka_server_raftmetrics_current_leader: ['gauge', 'The node that leads the metadata quorum.'],
  kafka_server_raftmetrics_current_epoch: ['gauge', 'The epoch of the metadata quorum.'],
  kafka_server_raftmetrics_current_state: ['untyped', "This node's role in the metadata quorum.", ['current_state']],
  kafka_server_raftmetrics_log_end_offset: ['gauge', 'The end offset of the metadata log.'],
  kafka_server_raftmetrics_high_watermark: ['gauge', 'The offset after the last committed record of the metadata log.'],

  kafka_coordinator_group_groupmetadatamanager_numgroups: ['gauge', 'Consumer groups.'],
  kafka_coordinator_group_groupmetadatamanager_numgroupsstable: ['gauge', 'Consumer groups that are Stable.'],
  kafka_coordinator_group_groupmetadatamanager_numgroupspreparingrebalance: [
    'gauge',
    'Consumer groups that are PreparingRebalance.',
  ],
  kafka_coordinator_group_groupmetadatamanager_numgroupscompletingrebalance: [
    'gauge',
    'Consumer groups that are CompletingRebalance.',
  ],
  kafka_coordinator_group_groupmetadatamanager_numgroupsempty: ['gauge', 'Consumer groups that are Empty.'],
  kafka_coordinator_group_groupmetadatamanager_numgroupsdead: ['gauge', 'Consumer groups that are Dead.'],
  kafka_coordinator_group_groupmetadatamanager_numoffsets: ['gauge', 'Offsets that consumer groups have committed.'],

  kafka_cluster_partition_replicascount: ['gauge', 'Replicas of a partition that this broker leads.', PARTITION],
  kafka_cluster_partition_insyncreplicascount: ['gauge', 'In-sync replicas of the partition.', PARTITION],
  kafka_cluster_partition_underreplicated: [
    'gauge',
    '1 if the partition has fewer in-sync replicas than replicas.',
    PARTITION,
  ],
  kafka_cluster_partition_underminisr: [
    'gauge',
    '1 if the partition has fewer in-sync replicas than min.insync.replicas.',
    PARTITION,
  ],
  kafka_cluster_partition_atminisr: [
    'gauge',
    '1 if the partition has exactly min.insync.replicas in-sync replicas.',
    PARTITION,
  ],
  kafka_log_log_size: ['gauge', 'The size of the log of a partition, in bytes.', PARTITION],
  kafka_log_log_logstartoffset: ['gauge', 'The first offset of the log of a partition.', PARTITION],
  kafka_log_log_logendoffset: ['gauge', 'The offset after the last record of a partition.', PARTITION],
  kafka_log_log_numlogsegments: ['gauge', 'Segments of the log of a partition.', PARTITION],
})
