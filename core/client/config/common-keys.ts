import { defineConfig } from '../../common/config/define.ts'
import { key } from '../../common/config/key.ts'
import { oneOf } from '../../common/config/validators.ts'
import { addressList } from './addresses.ts'
import { distinctNames } from './distinct.ts'
import { JAVA_ONLY } from './no-effect.ts'

const protocols = oneOf(['SASL_SSL', 'PLAINTEXT', 'SSL', 'SASL_PLAINTEXT'], { ignoreCase: true })
const securityProtocol: typeof protocols = {
  ...protocols,
  check(value, name) {
    const wrong = protocols.check(value, name)
    if (wrong !== null || value === null) return wrong
    return protocols.canonical?.(value) === 'PLAINTEXT' ? null : 'Only PLAINTEXT is supported'
  },
}

/**
 * The settings that all clients have (Kafka's CommonClientConfigs). `option` is the name of a
 * setting in the options object of a client.
 */
export const commonClientConfig = defineConfig({
  'bootstrap.servers': key.list({
    validator: addressList,
    importance: 'HIGH',
    option: 'bootstrapServers',
    documentation:
      'The addresses of some brokers, as host:port. The client connects to any of them and discovers the other brokers of the cluster. List two or three, so that the client can start while a broker is down.',
  }),
  'client.id': key.string({
    default: '',
    importance: 'MEDIUM',
    option: 'clientId',
    documentation:
      'A name for this client, which brokers show in logs and in the descriptions of groups. Default: the kind of client and a number, such as producer-1.',
  }),
  'client.dns.lookup': key.string({
    default: 'use_all_dns_ips',
    validator: oneOf(['use_all_dns_ips', 'resolve_canonical_bootstrap_servers_only']),
    importance: 'MEDIUM',
    noEffect: 'Node resolves host names and tries all addresses of a broker.',
    documentation: 'How the client resolves the host names of brokers.',
  }),
  'request.timeout.ms': key.int({
    default: 30_000,
    min: 0,
    importance: 'MEDIUM',
    option: 'requestTimeoutMs',
    documentation:
      'The time to wait for the response to a request, in milliseconds. After that the client closes the connection and retries the request where this is safe.',
  }),
  'metadata.max.age.ms': key.long({
    default: 300_000,
    min: 0,
    importance: 'LOW',
    option: 'metadataMaxAgeMs',
    documentation:
      'The interval between refreshes of the cluster metadata, in milliseconds. The client also refreshes it after errors, such as a change of leader. A shorter interval discovers new topics and partitions sooner.',
  }),
  'metadata.recovery.strategy': key.string({
    default: 'rebootstrap',
    validator: oneOf(['REBOOTSTRAP', 'NONE'], { ignoreCase: true }),
    importance: 'LOW',
    noEffect: 'The client always tries bootstrap.servers again when it can reach no known broker.',
    documentation: 'What the client does when it can reach none of the brokers that it knows.',
  }),
  'metadata.recovery.rebootstrap.trigger.ms': key.long({
    default: 300_000,
    min: 0,
    importance: 'LOW',
    noEffect: 'The client tries bootstrap.servers as soon as it can reach no known broker.',
    documentation:
      'The time without a metadata update after which the client connects to bootstrap.servers again, in milliseconds.',
  }),
  'retry.backoff.ms': key.long({
    default: 100,
    min: 0,
    importance: 'LOW',
    option: 'retryBackoffMs',
    documentation:
      'The delay before the first retry of a failed request, in milliseconds. The delay doubles with each further retry, up to retry.backoff.max.ms.',
  }),
  'retry.backoff.max.ms': key.long({
    default: 1000,
    min: 0,
    importance: 'LOW',
    option: 'retryBackoffMaxMs',
    documentation: 'The longest delay between two retries of a request, in milliseconds.',
  }),
  'reconnect.backoff.ms': key.long({
    default: 50,
    min: 0,
    importance: 'LOW',
    option: 'reconnectBackoffMs',
    documentation:
      'The delay before the first attempt to reconnect to a broker, in milliseconds. The delay doubles with each failed attempt, up to reconnect.backoff.max.ms.',
  }),
  'reconnect.backoff.max.ms': key.long({
    default: 1000,
    min: 0,
    importance: 'LOW',
    option: 'reconnectBackoffMaxMs',
    documentation: 'The longest delay between two attempts to connect to the same broker, in milliseconds.',
  }),
  'connections.max.idle.ms': key.long({
    default: 540_000,
    min: -1,
    importance: 'MEDIUM',
    option: 'connectionsMaxIdleMs',
    documentation:
      'The time after which the client closes an idle connection, in milliseconds. -1 keeps idle connections open. The default is below the ten minutes after which a broker closes an idle connection.',
  }),
  'socket.connection.setup.timeout.ms': key.long({
    default: 10_000,
    min: 1,
    importance: 'MEDIUM',
    option: 'connectionSetupTimeoutMs',
    documentation: 'The time to wait until a connection to a broker is established, in milliseconds.',
  }),
  'socket.connection.setup.timeout.max.ms': key.long({
    default: 30_000,
    importance: 'MEDIUM',
    noEffect: 'Each attempt has the same timeout, socket.connection.setup.timeout.ms.',
    documentation:
      'The maximum connection timeout, in milliseconds. In Java, the timeout grows with each failed attempt.',
  }),
  'send.buffer.bytes': key.int({
    default: 131_072,
    min: -1,
    importance: 'MEDIUM',
    noEffect: 'Node has no setting for the send buffer of a TCP socket.',
    documentation: 'The size of the TCP send buffer, in bytes. -1 is the default of the operating system.',
  }),
  'receive.buffer.bytes': key.int({
    default: 65_536,
    min: -1,
    importance: 'MEDIUM',
    noEffect: 'Node has no setting for the receive buffer of a TCP socket.',
    documentation: 'The size of the TCP receive buffer, in bytes. -1 is the default of the operating system.',
  }),
  'security.protocol': key.string({
    default: 'PLAINTEXT',
    validator: securityProtocol,
    importance: 'MEDIUM',
    documentation:
      'The protocol between client and broker. This version supports only PLAINTEXT. The client refuses to start with another protocol.',
  }),
  'config.providers': key.list({
    default: [],
    validator: distinctNames,
    importance: 'LOW',
    noEffect: "Config providers belong to the worker's configuration.",
    documentation: 'The names of config providers for references such as ${file:path:key}.',
  }),
  'metric.reporters': key.list({
    default: 'org.apache.kafka.common.metrics.JmxReporter',
    validator: distinctNames,
    importance: 'LOW',
    noEffect: JAVA_ONLY,
    documentation: 'Java classes that receive the metrics of the client.',
  }),
  'metrics.num.samples': key.int({
    default: 2,
    min: 1,
    importance: 'LOW',
    noEffect: JAVA_ONLY,
    documentation: 'The number of samples from which a metric is computed.',
  }),
  'metrics.recording.level': key.string({
    default: 'INFO',
    validator: oneOf(['INFO', 'DEBUG', 'TRACE']),
    importance: 'LOW',
    noEffect: JAVA_ONLY,
    documentation: 'The most detailed level of metrics to record.',
  }),
  'metrics.sample.window.ms': key.long({
    default: 30_000,
    min: 0,
    importance: 'LOW',
    noEffect: JAVA_ONLY,
    documentation: 'The length of one metrics sample, in milliseconds.',
  }),
  'enable.metrics.push': key.boolean({
    default: true,
    importance: 'LOW',
    noEffect: JAVA_ONLY,
    documentation: 'Whether the client sends its metrics to the broker.',
  }),
})
