import { defineConfig, key } from 'millrace/connect'
import { cloudId, urls } from './validators.ts'

const CONNECTION = 'Connector'
const PROXY = 'Proxy'

/** Keys of the connection to the cluster. */
export const connectionKeys = defineConfig({
  'connection.url': key.list({
    default: '',
    validator: urls,
    importance: 'HIGH',
    group: CONNECTION,
    documentation:
      'The URLs of the cluster, separated by commas. Requests are distributed over them. A node that does not respond is skipped for a while. Use https:// for TLS. Required unless connection.cloud.id is set.',
  }),
  'connection.cloud.id': key.string({
    default: '',
    validator: cloudId,
    importance: 'MEDIUM',
    group: CONNECTION,
    documentation: 'The cloud id of an Elastic Cloud deployment. Set it instead of connection.url. Millrace only.',
  }),
  'connection.sniff': key.boolean({
    default: false,
    importance: 'LOW',
    group: CONNECTION,
    documentation:
      'Whether the connector discovers the nodes of the cluster (sniffing) and sends requests to all of them. It does so at the start and after a connection has failed. The publish addresses of the nodes must be reachable. Millrace only.',
  }),
  'connection.sniff.interval.ms': key.long({
    default: 0,
    min: 0,
    importance: 'LOW',
    group: CONNECTION,
    documentation:
      'The interval at which connection.sniff discovers the nodes again, in milliseconds. 0 means only at the start and after failures. Millrace only.',
  }),
  'connection.username': key.string({
    default: null,
    importance: 'MEDIUM',
    group: CONNECTION,
    documentation: 'The user name for HTTP basic authentication. Set it together with connection.password.',
  }),
  'connection.password': key.password({
    default: null,
    importance: 'MEDIUM',
    group: CONNECTION,
    documentation: 'The password for HTTP basic authentication.',
  }),
  'connection.api.key': key.password({
    default: null,
    importance: 'MEDIUM',
    group: CONNECTION,
    documentation:
      'An Elasticsearch API key in its encoded form. Set it instead of a user name and password. Millrace only.',
  }),
  'connection.bearer.token': key.password({
    default: null,
    importance: 'MEDIUM',
    group: CONNECTION,
    documentation: 'A token for HTTP bearer authentication. Set it instead of a user name and password. Millrace only.',
  }),
  'connection.compression': key.boolean({
    default: false,
    importance: 'LOW',
    group: CONNECTION,
    documentation: 'Whether requests are compressed with gzip. It saves bandwidth and costs CPU time.',
  }),
  'max.connection.idle.time.ms': key.int({
    default: 60_000,
    min: 0,
    importance: 'LOW',
    group: CONNECTION,
    documentation: 'The time after which an idle connection is closed, in milliseconds.',
  }),
  'connection.timeout.ms': key.int({
    default: 1000,
    min: 0,
    max: 43_200_000,
    importance: 'LOW',
    group: CONNECTION,
    documentation: 'The time to wait until a connection is established, in milliseconds.',
  }),
  'read.timeout.ms': key.int({
    default: 3000,
    min: 0,
    max: 604_800_000,
    importance: 'LOW',
    group: CONNECTION,
    documentation:
      'The time to wait for data of a response, in milliseconds. After that the request is retried. 0 means no limit. Increase it if the cluster needs longer for large bulk requests.',
  }),
})

/** Keys of the HTTP proxy. */
export const proxyKeys = defineConfig({
  'proxy.host': key.string({
    default: '',
    importance: 'LOW',
    group: PROXY,
    documentation: 'The host of an HTTP proxy. Empty means no proxy.',
  }),
  'proxy.port': key.int({
    default: 8080,
    min: 1,
    max: 65535,
    importance: 'LOW',
    group: PROXY,
    documentation: 'The port of the HTTP proxy.',
  }),
  'proxy.username': key.string({
    default: '',
    importance: 'LOW',
    group: PROXY,
    documentation: 'The user name for the HTTP proxy.',
  }),
  'proxy.password': key.password({
    default: null,
    importance: 'LOW',
    group: PROXY,
    documentation: 'The password for the HTTP proxy.',
  }),
})
