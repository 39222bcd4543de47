import { all, type ConfigKey, type ConfigValues, defineConfig, oneOf, range, type Validator } from 'millrace/connect'

const urls: Validator = {
  describe: 'list of http(s) URLs',
  check(value) {
    for (const text of (value as string[] | null) ?? []) {
      const url = URL.parse(text)
      if (!url || !/^https?:$/.test(url.protocol))
        return `'${text.replace(/\/\/.*@/, '//')}' is not an http:// or https:// URL`
    }
    return null
  },
}

/** `name:base64` of `domain$deployment`. */
const cloudId: Validator = {
  describe: 'id of a deployment, or empty',
  check(value) {
    const text = String(value ?? '')
    const [domain, deployment] = Buffer.from(text.split(':')[1] ?? '', 'base64')
      .toString()
      .split('$')
    return text === '' || (domain && deployment && URL.canParse(`https://${deployment}.${domain}`))
      ? null
      : 'Must be a cloud id as Elastic Cloud shows it, such as name:ZXhhbXBsZS5vcmckYWJj'
  },
}

const fingerprint: Validator = {
  describe: 'SHA-256 fingerprint in hex, or empty',
  check: value =>
    /^((?:[0-9a-f]{2}:?){32})?$/i.test(String(value ?? ''))
      ? null
      : 'Must be a SHA-256 fingerprint: 64 hexadecimal digits, with or without colons',
}

/** Index names cannot contain these; a name with * or a comma would match several indices. */
const NO_NAME = /[\\/*?"<>| ,#:]/

const namePart: Validator = {
  describe: 'none of / \\ * ? " < > | , # : or spaces',
  check: value =>
    NO_NAME.test(String(value ?? '').replace('${topic}', ''))
      ? 'Must not contain any of / \\ * ? " < > | , # : or spaces'
      : null,
}

/** `topic:resource` pairs. */
const pairs: Validator = {
  describe: 'list of topic:resource',
  check(value) {
    for (const item of (value as string[] | null) ?? []) {
      if (!/^[^:]+:[^:]+$/.test(item)) return `'${item}' is not topic:resource`
      const resource = item.split(':')[1]!
      if (NO_NAME.test(resource)) return `'${resource}' cannot be the name of an index, alias or data stream`
    }
    return null
  },
}

const CONNECTION = 'Connector'
const CONVERSION = 'Data Conversion'
const TARGETS = 'Data Stream'
const SECURITY = 'Security'

const key = <const K extends Omit<ConfigKey, 'importance'>>(importance: 'HIGH' | 'MEDIUM' | 'LOW', k: K) => ({
  importance,
  ...k,
})

/** All keys of Confluent's Elasticsearch sink, with its names and defaults, and a few of Millrace's own. */
export const config = defineConfig({
  'connection.url': key('HIGH', {
    type: 'LIST',
    default: '',
    validator: urls,
    group: CONNECTION,
    documentation:
      'The URLs of the cluster. Requests are spread over them, and nodes that do not respond are skipped. Use https:// for TLS. Required unless connection.cloud.id is set.',
  }),
  'connection.cloud.id': key('MEDIUM', {
    type: 'STRING',
    default: '',
    validator: cloudId,
    group: CONNECTION,
    documentation: 'The cloud id of an Elastic Cloud deployment, instead of connection.url. Millrace only.',
  }),
  'connection.sniff': key('LOW', {
    type: 'BOOLEAN',
    default: false,
    group: CONNECTION,
    documentation:
      'Whether to discover the nodes of the cluster (sniffing), at the start and after a connection fails, and send requests to all of them. The publish addresses of the nodes must be reachable. Millrace only.',
  }),
  'connection.sniff.interval.ms': key('LOW', {
    type: 'LONG',
    default: 0,
    validator: range(0),
    group: CONNECTION,
    documentation:
      'With connection.sniff: the interval of further node discovery in milliseconds; 0 disables it. Millrace only.',
  }),
  'connection.username': key('MEDIUM', {
    type: 'STRING',
    default: null,
    group: CONNECTION,
    documentation: 'User name for HTTP basic authentication; none where empty.',
  }),
  'connection.password': key('MEDIUM', {
    type: 'PASSWORD',
    default: null,
    group: CONNECTION,
    documentation: 'Password for HTTP basic authentication.',
  }),
  'connection.api.key': key('MEDIUM', {
    type: 'PASSWORD',
    default: null,
    group: CONNECTION,
    documentation: 'An Elasticsearch API key in its encoded form, instead of a user and a password. Millrace only.',
  }),
  'connection.bearer.token': key('MEDIUM', {
    type: 'PASSWORD',
    default: null,
    group: CONNECTION,
    documentation: 'A token for HTTP bearer authentication, instead of a user and a password. Millrace only.',
  }),
  'batch.size': key('MEDIUM', {
    type: 'INT',
    default: 2000,
    validator: range(1, 1_000_000),
    group: CONNECTION,
    documentation: 'Records in one bulk request at most.',
  }),
  'bulk.size.bytes': key('LOW', {
    type: 'LONG',
    default: 5_242_880,
    validator: range(-1),
    group: CONNECTION,
    documentation: 'Bytes of one bulk request at most, unless a single document is larger; -1 for no limit.',
  }),
  'max.in.flight.requests': key('MEDIUM', {
    type: 'INT',
    default: 5,
    validator: range(1, 1000),
    group: CONNECTION,
    documentation: 'Bulk requests under way at a time. Order by document is kept whatever the number.',
  }),
  'max.buffered.records': key('LOW', {
    type: 'INT',
    default: 20_000,
    validator: range(1),
    group: CONNECTION,
    documentation: 'Records that a task holds before it takes no more for the moment.',
  }),
  'max.buffered.bytes': key('LOW', {
    type: 'LONG',
    default: 33_554_432,
    validator: range(1),
    group: CONNECTION,
    documentation:
      'Bytes of documents that a task holds before it takes no further batch for the moment. Millrace only.',
  }),
  'linger.ms': key('LOW', {
    type: 'LONG',
    default: 1,
    validator: range(0, 604_800_000),
    group: CONNECTION,
    documentation: 'How long records wait for others to fill a bulk request, in milliseconds.',
  }),
  'flush.timeout.ms': key('LOW', {
    type: 'LONG',
    default: 180_000,
    validator: range(1),
    group: CONNECTION,
    documentation:
      'How long a flush, or the wait for room in the buffer, may take in milliseconds before the batch is refused for now.',
  }),
  'flush.synchronously': key('LOW', {
    type: 'BOOLEAN',
    default: false,
    group: CONNECTION,
    documentation:
      'Whether a commit waits until everything delivered so far is written. Otherwise it takes what is written by then.',
  }),
  'max.retries': key('LOW', {
    type: 'INT',
    default: 5,
    validator: range(0),
    group: CONNECTION,
    documentation:
      'The number of retries before the task status reports the problem. The sink continues to retry after that.',
  }),
  'retry.backoff.ms': key('LOW', {
    type: 'LONG',
    default: 100,
    validator: range(0),
    group: CONNECTION,
    documentation:
      'The delay before the first retry in milliseconds. It doubles with each retry, up to ten seconds, with jitter.',
  }),
  'connection.compression': key('LOW', {
    type: 'BOOLEAN',
    default: false,
    group: CONNECTION,
    documentation: 'Whether requests are sent gzipped.',
  }),
  'max.connection.idle.time.ms': key('LOW', {
    type: 'INT',
    default: 60_000,
    validator: range(0),
    group: CONNECTION,
    documentation: 'How long an idle connection is kept, in milliseconds.',
  }),
  'connection.timeout.ms': key('LOW', {
    type: 'INT',
    default: 1000,
    validator: range(0, 43_200_000),
    group: CONNECTION,
    documentation: 'How long a connection may take to open, in milliseconds.',
  }),
  'read.timeout.ms': key('LOW', {
    type: 'INT',
    default: 3000,
    validator: range(0, 604_800_000),
    group: CONNECTION,
    documentation: 'How long an answer may be silent, in milliseconds; 0 for without limit.',
  }),

  'key.ignore': key('HIGH', {
    type: 'BOOLEAN',
    default: false,
    group: CONVERSION,
    documentation:
      'Whether document ids are made of topic, partition and offset rather than taken from the record key.',
  }),
  'topic.key.ignore': key('LOW', {
    type: 'LIST',
    default: '',
    group: CONVERSION,
    documentation: 'Topics for which key.ignore is true.',
  }),
  'schema.ignore': key('LOW', {
    type: 'BOOLEAN',
    default: false,
    group: CONVERSION,
    documentation:
      'Whether Elasticsearch infers the mapping from the documents, rather than being given one made of the record schema.',
  }),
  'topic.schema.ignore': key('LOW', {
    type: 'LIST',
    default: '',
    group: CONVERSION,
    documentation: 'Topics for which schema.ignore is true.',
  }),
  'compact.map.entries': key('LOW', {
    type: 'BOOLEAN',
    default: true,
    group: CONVERSION,
    documentation: 'Whether a map with text keys becomes {"k": v} rather than [{"key": k, "value": v}].',
  }),
  'drop.invalid.message': key('LOW', {
    type: 'BOOLEAN',
    default: false,
    group: CONVERSION,
    documentation:
      'Whether a record that cannot be made a document is dropped, after it went to the dead letter queue if there is one, rather than failing the task.',
  }),
  'use.autogenerated.ids': key('MEDIUM', {
    type: 'BOOLEAN',
    default: false,
    group: CONVERSION,
    documentation:
      'Whether Elasticsearch makes the ids, with write.method=INSERT. Then a record that is delivered again is a second document.',
  }),
  'behavior.on.null.values': key('LOW', {
    type: 'STRING',
    default: 'FAIL',
    validator: oneOf(['IGNORE', 'DELETE', 'FAIL'], { ignoreCase: true }),
    group: CONVERSION,
    documentation:
      'What a record without a value (a tombstone) does: ignore it, delete the document of its key, or fail the task.',
  }),
  'behavior.on.malformed.documents': key('LOW', {
    type: 'STRING',
    default: 'FAIL',
    validator: oneOf(['IGNORE', 'WARN', 'FAIL'], { ignoreCase: true }),
    group: CONVERSION,
    documentation:
      'What to do with a document that Elasticsearch rejects because of its content or size: ignore, warn, or fail the task. If there is a dead letter queue, the record goes there first, and the task fails only if the configuration says FAIL.',
  }),
  'external.version.header': key('LOW', {
    type: 'STRING',
    default: '',
    group: CONVERSION,
    documentation: 'The header whose whole number is the document version, instead of the record offset.',
  }),
  'external.version.source': key('LOW', {
    type: 'STRING',
    default: 'offset',
    validator: oneOf(['offset', 'timestamp', 'none'], { ignoreCase: true }),
    group: CONVERSION,
    documentation:
      'Where a document version comes from when external.version.header is not set. offset: as Confluent; rejects updates after a topic was made anew or its number of partitions changed. timestamp: of the record; of two with the same one the later counts. none: no versions; the last write wins, in the order of the partition. Millrace only.',
  }),
  'write.method': key('LOW', {
    type: 'STRING',
    default: 'INSERT',
    validator: oneOf(['INSERT', 'UPSERT'], { ignoreCase: true }),
    group: CONVERSION,
    documentation: 'INSERT: a record is the whole document. UPSERT: it is merged into the one there is.',
  }),

  'proxy.host': key('LOW', { type: 'STRING', default: '', group: 'Proxy', documentation: 'Host of an HTTP proxy.' }),
  'proxy.port': key('LOW', {
    type: 'INT',
    default: 8080,
    validator: range(1, 65535),
    group: 'Proxy',
    documentation: 'Port of the HTTP proxy.',
  }),
  'proxy.username': key('LOW', {
    type: 'STRING',
    default: '',
    group: 'Proxy',
    documentation: 'User name for the HTTP proxy.',
  }),
  'proxy.password': key('LOW', {
    type: 'PASSWORD',
    default: null,
    group: 'Proxy',
    documentation: 'Password for the HTTP proxy.',
  }),

  'elastic.security.protocol': key('MEDIUM', {
    type: 'STRING',
    default: 'PLAINTEXT',
    validator: oneOf(['PLAINTEXT', 'SSL'], { ignoreCase: true }),
    group: SECURITY,
    documentation: 'SSL to apply the elastic.https.ssl.* settings.',
  }),
  'elastic.https.ssl.keystore.location': key('MEDIUM', {
    type: 'STRING',
    default: null,
    group: SECURITY,
    documentation: "The client's certificate and key: a PKCS12 store, or a PEM file with both.",
  }),
  'elastic.https.ssl.keystore.password': key('MEDIUM', {
    type: 'PASSWORD',
    default: null,
    group: SECURITY,
    documentation: 'Password of the key store.',
  }),
  'elastic.https.ssl.key.password': key('MEDIUM', {
    type: 'PASSWORD',
    default: null,
    group: SECURITY,
    documentation: 'Password of the key in it, where it is another.',
  }),
  'elastic.https.ssl.keystore.type': key('LOW', {
    type: 'STRING',
    default: 'PKCS12',
    validator: oneOf(['PKCS12', 'PEM', 'JKS'], { ignoreCase: true }),
    group: SECURITY,
    documentation: 'Type of the key store. JKS is refused: convert it.',
  }),
  'elastic.https.ssl.truststore.location': key('MEDIUM', {
    type: 'STRING',
    default: null,
    group: SECURITY,
    documentation: 'Certificates to trust: a PEM file. The system’s where empty.',
  }),
  'elastic.https.ssl.truststore.password': key('MEDIUM', {
    type: 'PASSWORD',
    default: null,
    group: SECURITY,
    documentation: 'Password of the trust store; PEM files have none.',
  }),
  'elastic.https.ssl.truststore.type': key('LOW', {
    type: 'STRING',
    default: 'PEM',
    validator: oneOf(['PEM', 'PKCS12', 'JKS'], { ignoreCase: true }),
    group: SECURITY,
    documentation: 'Type of the trust store. Only PEM is taken: convert others.',
  }),
  'elastic.https.ssl.ca.fingerprint': key('LOW', {
    type: 'STRING',
    default: '',
    validator: fingerprint,
    group: SECURITY,
    documentation:
      "The SHA-256 fingerprint of the certificate authority, instead of a trust store. The server must send that certificate too, as it does with Elasticsearch's default setup. Millrace only.",
  }),
  'elastic.https.ssl.endpoint.identification.algorithm': key('LOW', {
    type: 'STRING',
    default: 'https',
    group: SECURITY,
    documentation: 'Empty to accept a certificate for another host name.',
  }),
  'kerberos.user.principal': key('LOW', {
    type: 'STRING',
    default: null,
    group: SECURITY,
    documentation: 'Kerberos is not supported; refused where set.',
  }),
  'kerberos.keytab.path': key('LOW', {
    type: 'STRING',
    default: null,
    group: SECURITY,
    documentation: 'Kerberos is not supported; refused where set.',
  }),

  'data.stream.type': key('LOW', {
    type: 'STRING',
    default: 'NONE',
    validator: oneOf(['NONE', 'LOGS', 'METRICS'], { ignoreCase: true }),
    group: TARGETS,
    documentation: 'Writes to the data stream {type}-{dataset}-{namespace} instead of an index, with create.',
  }),
  'data.stream.dataset': key('LOW', {
    type: 'STRING',
    default: '',
    validator: all({
      describe: 'at most 100 characters, no / or spaces',
      check: v =>
        /^[^\\/*?"<>| ,#:-]{0,100}$/.test(String(v ?? ''))
          ? null
          : 'Must be at most 100 characters without / \\ * ? " < > | , # : - or spaces',
    }),
    group: TARGETS,
    documentation: 'The dataset in the name of the data stream; needed with data.stream.type.',
  }),
  'data.stream.namespace': key('LOW', {
    type: 'STRING',
    default: '${topic}',
    validator: namePart,
    group: TARGETS,
    documentation: 'The namespace in the name of the data stream; ${topic} stands for the topic.',
  }),
  'data.stream.timestamp.field': key('LOW', {
    type: 'LIST',
    default: '',
    group: TARGETS,
    documentation:
      'Fields of the record of which the first that has a value becomes @timestamp. Where empty the record timestamp does, also over a field of that name.',
  }),
  'external.resource.usage': key('LOW', {
    type: 'STRING',
    default: 'DISABLED',
    validator: oneOf(['INDEX', 'DATASTREAM', 'ALIAS_INDEX', 'ALIAS_DATASTREAM', 'DISABLED'], { ignoreCase: true }),
    group: TARGETS,
    documentation:
      'The kind of the existing resources that topic.to.external.resource.mapping names; they are not created.',
  }),
  'topic.to.external.resource.mapping': key('LOW', {
    type: 'LIST',
    default: '',
    validator: pairs,
    group: TARGETS,
    documentation: 'topic:resource pairs for external.resource.usage.',
  }),
  'max.external.resource.mappings': key('LOW', {
    type: 'INT',
    default: 15,
    validator: range(1),
    group: TARGETS,
    documentation: 'How many such pairs there may be.',
  }),
})

export type ElasticsearchConfig = ConfigValues<typeof config>
