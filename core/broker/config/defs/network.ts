import { defineConfig } from '../../../common/config/define.ts'
import { key } from '../../../common/config/key.ts'
import { distinctItems, oneOf } from '../../../common/config/validators.ts'
import { SECURITY_PROTOCOLS } from '../listeners.ts'

const INT_MAX = 2147483647
const ONE_THREAD = 'One thread serves the network and handles requests.'
const NO_SOCKET_BUFFERS = 'Node has no setting for the buffers of a TCP socket.'

/** The keys for listeners, connections and requests. */
export const NETWORK_CONFIG = defineConfig({
  listeners: key.list({
    default: 'PLAINTEXT://127.0.0.1:9092',
    validator: distinctItems({ allowEmpty: false }),
    importance: 'HIGH',
    documentation:
      'The addresses on which the broker listens, as NAME://host:port. An empty host means all interfaces. Port 0 means any free port. Unlike in Kafka, the default is the loopback interface, because clients are not authenticated.',
  }),
  'metrics.listeners': key.list({
    default: '',
    importance: 'LOW',
    documentation:
      'The addresses on which the broker serves its metrics to Prometheus, as http://host:port. The path is /metrics. An empty host means all interfaces. Port 0 means any free port, which the broker logs. By default, metrics are not served. Kafka does not have this key, because a JMX exporter serves the metrics of Kafka.',
  }),
  'advertised.listeners': key.list({
    default: null,
    validator: distinctItems({ allowEmpty: false }),
    importance: 'HIGH',
    documentation:
      'The addresses to which clients connect, if they differ from listeners, for example behind a proxy or in a container. Port 0 means the port of the listener. Default: listeners.',
  }),
  'listener.security.protocol.map': key.string({
    default: 'SASL_SSL:SASL_SSL,PLAINTEXT:PLAINTEXT,SSL:SSL,SASL_PLAINTEXT:SASL_PLAINTEXT',
    importance: 'LOW',
    documentation:
      'The security protocol of each listener name, as NAME:PROTOCOL pairs. Only listeners with PLAINTEXT can be opened in this version.',
  }),
  'inter.broker.listener.name': key.string({
    default: null,
    importance: 'MEDIUM',
    noEffect: 'This version has one broker. The name must still be one of the listeners.',
    documentation: 'The listener for connections between brokers. Default: the first listener.',
  }),
  'security.inter.broker.protocol': key.string({
    default: 'PLAINTEXT',
    validator: oneOf(SECURITY_PROTOCOLS),
    importance: 'MEDIUM',
    noEffect: 'This version has one broker.',
    documentation: 'The security protocol between brokers.',
  }),
  'socket.request.max.bytes': key.int({
    default: 104857600,
    min: 1,
    importance: 'HIGH',
    documentation:
      'The maximum size of a request, in bytes. The broker closes a connection that announces a larger request. Requests other than Produce are also limited to 16 MiB.',
  }),
  'socket.send.buffer.bytes': key.int({
    default: 102400,
    importance: 'HIGH',
    noEffect: NO_SOCKET_BUFFERS,
    documentation: 'The size of the TCP send buffer, in bytes. -1 is the default of the operating system.',
  }),
  'socket.receive.buffer.bytes': key.int({
    default: 102400,
    importance: 'HIGH',
    noEffect: NO_SOCKET_BUFFERS,
    documentation: 'The size of the TCP receive buffer, in bytes. -1 is the default of the operating system.',
  }),
  'socket.listen.backlog.size': key.int({
    default: 50,
    min: 1,
    importance: 'MEDIUM',
    documentation:
      'The maximum number of new connections that wait to be accepted. The broker uses at least 1024. The operating system limits it further (net.core.somaxconn).',
  }),
  'connections.max.idle.ms': key.long({
    default: 600000,
    importance: 'MEDIUM',
    documentation:
      'The time after which the broker closes a connection without requests, in milliseconds. -1 keeps idle connections open.',
  }),
  'max.connections': key.int({
    default: INT_MAX,
    min: 0,
    importance: 'MEDIUM',
    documentation:
      'The maximum number of connections to the broker. The broker closes further connections at once. Open connections are not affected.',
  }),
  'max.connections.per.ip': key.int({
    default: INT_MAX,
    min: 0,
    importance: 'MEDIUM',
    documentation:
      'The maximum number of connections from one IP address. The broker closes further connections from this address at once.',
  }),
  'max.connections.per.ip.overrides': key.string({
    default: '',
    importance: 'MEDIUM',
    documentation:
      'Limits for some IP addresses, as address:count pairs separated by commas. They replace max.connections.per.ip for these addresses. For example 10.0.0.7:100,10.0.0.8:0.',
  }),
  'max.connection.creation.rate': key.int({
    default: INT_MAX,
    min: 0,
    importance: 'MEDIUM',
    noEffect: 'The rate of new connections is not limited yet.',
    documentation: 'The maximum number of new connections per second.',
  }),
  'queued.max.requests': key.int({
    default: 500,
    min: 1,
    importance: 'HIGH',
    noEffect: 'queued.max.request.bytes limits the memory of waiting requests.',
    documentation: 'The maximum number of requests that wait to be handled.',
  }),
  'queued.max.request.bytes': key.long({
    default: -1,
    importance: 'MEDIUM',
    documentation:
      'The maximum memory for unanswered requests of all connections, in bytes. When this memory is used up, the broker stops reading from connections until requests are answered. -1 means 256 MiB, or socket.request.max.bytes if that is more.',
  }),
  'request.timeout.ms': key.int({
    default: 30000,
    importance: 'HIGH',
    noEffect: 'This version has one broker.',
    documentation: 'The time to wait for the response to a request between brokers, in milliseconds.',
  }),
  'num.network.threads': key.int({
    default: 3,
    min: 1,
    importance: 'HIGH',
    noEffect: ONE_THREAD,
    documentation: 'The number of threads that read requests and write responses.',
  }),
  'num.io.threads': key.int({
    default: 8,
    min: 1,
    importance: 'HIGH',
    noEffect: ONE_THREAD,
    documentation: 'The number of threads that handle requests.',
  }),
  'background.threads': key.int({
    default: 10,
    min: 1,
    importance: 'HIGH',
    noEffect: 'Background work runs in the main thread, and file operations in the threads of Node.',
    documentation: 'The number of threads for background work, such as deleting files.',
  }),
})
