import { type ConfigValues, defineConfig, key, oneOf, type Validator } from 'millrace/connect'

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

/** `name:base64`, where the base64 text is `domain$deployment`. */
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

/**
 * Characters that the name of an index cannot contain. A name with * or a comma would match several
 * indices.
 */
const NO_NAME = /[\\/*?"<>| ,#:]/

const namePart: Validator = {
  describe: 'none of / \\ * ? " < > | , # : or spaces',
  check: value =>
    NO_NAME.test(String(value ?? '').replace('${topic}', ''))
      ? 'Must not contain any of / \\ * ? " < > | , # : or spaces'
      : null,
}

const dataset: Validator = {
  describe: 'at most 100 characters, no / or spaces',
  check: v =>
    /^[^\\/*?"<>| ,#:-]{0,100}$/.test(String(v ?? ''))
      ? null
      : 'Must be at most 100 characters without / \\ * ? " < > | , # : - or spaces',
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
const PROXY = 'Proxy'
const NO_KERBEROS = 'Kerberos is not supported.'

const noKerberos: Validator = {
  describe: 'empty',
  check: value =>
    value === null || value === ''
      ? null
      : `${NO_KERBEROS} Use connection.username and connection.password, or connection.api.key`,
}

const IGNORE_CASE = { ignoreCase: true }

const connectionKeys = defineConfig({
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

const bulkKeys = defineConfig({
  'batch.size': key.int({
    default: 2000,
    min: 1,
    max: 1_000_000,
    importance: 'MEDIUM',
    group: CONNECTION,
    documentation: 'The maximum number of records in a bulk request.',
  }),
  'bulk.size.bytes': key.long({
    default: 5_242_880,
    min: -1,
    importance: 'LOW',
    group: CONNECTION,
    documentation:
      'The maximum size of a bulk request, in bytes. A larger document is sent in a request of its own. -1 means no limit.',
  }),
  'max.in.flight.requests': key.int({
    default: 5,
    min: 1,
    max: 1000,
    importance: 'MEDIUM',
    group: CONNECTION,
    documentation:
      'The maximum number of bulk requests at the same time. Changes of the same document are always sent in order.',
  }),
  'max.buffered.records': key.int({
    default: 20_000,
    min: 1,
    importance: 'LOW',
    group: CONNECTION,
    documentation:
      'The maximum number of records that a task buffers. Above it, the task stops consuming until records are written.',
  }),
  'max.buffered.bytes': key.long({
    default: 33_554_432,
    min: 1,
    importance: 'LOW',
    group: CONNECTION,
    documentation:
      'The maximum size of the documents that a task buffers, in bytes. Above it, the task stops consuming until documents are written. Millrace only.',
  }),
  'linger.ms': key.long({
    default: 1,
    min: 0,
    max: 604_800_000,
    importance: 'LOW',
    group: CONNECTION,
    documentation: 'The time that records wait for more records of the same bulk request, in milliseconds.',
  }),
  'flush.timeout.ms': key.long({
    default: 180_000,
    min: 1,
    importance: 'LOW',
    group: CONNECTION,
    documentation:
      'The maximum time to wait until records are written, in milliseconds: to get space in a full buffer, or for a commit with flush.synchronously. After that the batch is retried, or the commit covers only the records that are written.',
  }),
  'flush.synchronously': key.boolean({
    default: false,
    importance: 'LOW',
    group: CONNECTION,
    documentation:
      'Whether a commit of offsets waits until all records consumed so far are written. With false, a commit covers the records that are written by then.',
  }),
  'max.retries': key.int({
    default: 5,
    min: 0,
    importance: 'LOW',
    group: CONNECTION,
    documentation:
      'The number of retries after which the status of the task shows the problem. The task keeps retrying after that.',
  }),
  'retry.backoff.ms': key.long({
    default: 100,
    min: 0,
    importance: 'LOW',
    group: CONNECTION,
    documentation:
      'The delay before the first retry, in milliseconds. The delay doubles with each retry, up to ten seconds, and varies at random.',
  }),
})

const conversionKeys = defineConfig({
  'key.ignore': key.boolean({
    default: false,
    importance: 'HIGH',
    group: CONVERSION,
    documentation:
      'Whether document ids are built from topic, partition and offset instead of the record key. Each record is then a new document.',
  }),
  'topic.key.ignore': key.list({
    default: '',
    importance: 'LOW',
    group: CONVERSION,
    documentation: 'The topics for which key.ignore is true.',
  }),
  'schema.ignore': key.boolean({
    default: false,
    importance: 'LOW',
    group: CONVERSION,
    documentation:
      'Whether Elasticsearch infers the mapping of an index from its documents. With false, the connector creates the mapping from the schema of records.',
  }),
  'topic.schema.ignore': key.list({
    default: '',
    importance: 'LOW',
    group: CONVERSION,
    documentation: 'The topics for which schema.ignore is true.',
  }),
  'compact.map.entries': key.boolean({
    default: true,
    importance: 'LOW',
    group: CONVERSION,
    documentation: 'How documents represent a map with string keys. true: {"k": v}. false: [{"key": "k", "value": v}].',
  }),
  'drop.invalid.message': key.boolean({
    default: false,
    importance: 'LOW',
    group: CONVERSION,
    documentation:
      'Whether a record that cannot be converted to a document is dropped instead of failing the task. If there is a dead letter queue, the record is sent there first.',
  }),
  'use.autogenerated.ids': key.boolean({
    default: false,
    importance: 'MEDIUM',
    group: CONVERSION,
    documentation:
      'Whether Elasticsearch generates the ids of documents. Requires write.method=INSERT. A record that is delivered twice then becomes two documents.',
  }),
  'behavior.on.null.values': key.string({
    default: 'FAIL',
    validator: oneOf(['IGNORE', 'DELETE', 'FAIL'], IGNORE_CASE),
    importance: 'LOW',
    group: CONVERSION,
    documentation:
      'What happens to a record with a null value (a tombstone). IGNORE: it is skipped. DELETE: the document with the id of its key is deleted. FAIL: the task fails.',
  }),
  'behavior.on.malformed.documents': key.string({
    default: 'FAIL',
    validator: oneOf(['IGNORE', 'WARN', 'FAIL'], IGNORE_CASE),
    importance: 'LOW',
    group: CONVERSION,
    documentation:
      'What happens to a document that Elasticsearch rejects because of its content or size. IGNORE: it is skipped. WARN: it is skipped, and a warning is logged. FAIL: the task fails. If there is a dead letter queue, the record is sent there first, and the task fails only if you set FAIL explicitly.',
  }),
  'external.version.header': key.string({
    default: '',
    importance: 'LOW',
    group: CONVERSION,
    documentation:
      'The record header that contains the version of the document, a whole number. Default: external.version.source.',
  }),
  'external.version.source': key.string({
    default: 'offset',
    validator: oneOf(['offset', 'timestamp', 'none'], IGNORE_CASE),
    importance: 'LOW',
    group: CONVERSION,
    documentation:
      'The version of a document, with which Elasticsearch rejects older changes. offset: the offset of the record, as in the Confluent connector. Changes are rejected after the topic was recreated or its number of partitions has changed. timestamp: the timestamp of the record. If two are equal, the later record wins. none: no versions; the last write wins. Millrace only.',
  }),
  'write.method': key.string({
    default: 'INSERT',
    validator: oneOf(['INSERT', 'UPSERT'], IGNORE_CASE),
    importance: 'LOW',
    group: CONVERSION,
    documentation:
      'INSERT: the record replaces the whole document. UPSERT: the fields of the record are merged into the existing document.',
  }),
})

const proxyKeys = defineConfig({
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

const securityKeys = defineConfig({
  'elastic.security.protocol': key.string({
    default: 'PLAINTEXT',
    validator: oneOf(['PLAINTEXT', 'SSL'], IGNORE_CASE),
    importance: 'MEDIUM',
    group: SECURITY,
    documentation:
      'Set SSL to apply the settings elastic.https.ssl.*. With PLAINTEXT, connections to https:// URLs use the defaults of Node.',
  }),
  'elastic.https.ssl.keystore.location': key.string({
    default: null,
    importance: 'MEDIUM',
    group: SECURITY,
    documentation: 'The file with the certificate and key of the client: a PKCS12 store, or a PEM file with both.',
  }),
  'elastic.https.ssl.keystore.password': key.password({
    default: null,
    importance: 'MEDIUM',
    group: SECURITY,
    documentation: 'The password of the key store.',
  }),
  'elastic.https.ssl.key.password': key.password({
    default: null,
    importance: 'MEDIUM',
    group: SECURITY,
    documentation: 'The password of the key in the key store, if it differs from that of the store.',
  }),
  'elastic.https.ssl.keystore.type': key.string({
    default: 'PKCS12',
    validator: oneOf(['PKCS12', 'PEM', 'JKS'], IGNORE_CASE),
    importance: 'LOW',
    group: SECURITY,
    documentation: 'The format of the key store. JKS is rejected. Convert it to PKCS12.',
  }),
  'elastic.https.ssl.truststore.location': key.string({
    default: null,
    importance: 'MEDIUM',
    group: SECURITY,
    documentation: 'The PEM file with the trusted certificates. Default: the certificates that Node trusts.',
  }),
  'elastic.https.ssl.truststore.password': key.password({
    default: null,
    importance: 'MEDIUM',
    group: SECURITY,
    documentation: 'The password of the trust store. PEM files have none.',
  }),
  'elastic.https.ssl.truststore.type': key.string({
    default: 'PEM',
    validator: oneOf(['PEM', 'PKCS12', 'JKS'], IGNORE_CASE),
    importance: 'LOW',
    group: SECURITY,
    documentation: 'The format of the trust store. Only PEM is supported. Convert other formats.',
  }),
  'elastic.https.ssl.ca.fingerprint': key.string({
    default: '',
    validator: fingerprint,
    importance: 'LOW',
    group: SECURITY,
    documentation:
      'The SHA-256 fingerprint of the trusted certificate authority. Set it instead of a trust store. The server must send the certificate of the authority too, as Elasticsearch does by default. Millrace only.',
  }),
  'elastic.https.ssl.endpoint.identification.algorithm': key.string({
    default: 'https',
    importance: 'LOW',
    group: SECURITY,
    documentation:
      'https checks that the certificate of the server matches its host name. An empty value turns this check off.',
  }),
  'kerberos.user.principal': key.string({
    default: null,
    validator: noKerberos,
    importance: 'LOW',
    group: SECURITY,
    noEffect: NO_KERBEROS,
    documentation: 'The Kerberos principal of the user.',
  }),
  'kerberos.keytab.path': key.string({
    default: null,
    validator: noKerberos,
    importance: 'LOW',
    group: SECURITY,
    noEffect: NO_KERBEROS,
    documentation: 'The file with the Kerberos key of the user.',
  }),
})

const targetKeys = defineConfig({
  'data.stream.type': key.string({
    default: 'NONE',
    validator: oneOf(['NONE', 'LOGS', 'METRICS'], IGNORE_CASE),
    importance: 'LOW',
    group: TARGETS,
    documentation:
      'LOGS or METRICS writes to the data stream {type}-{dataset}-{namespace}, to which documents are only added. NONE writes to an index.',
  }),
  'data.stream.dataset': key.string({
    default: '',
    validator: dataset,
    importance: 'LOW',
    group: TARGETS,
    documentation: 'The dataset in the name of the data stream. Required with data.stream.type.',
  }),
  'data.stream.namespace': key.string({
    default: '${topic}',
    validator: namePart,
    importance: 'LOW',
    group: TARGETS,
    documentation: 'The namespace in the name of the data stream. ${topic} is replaced by the name of the topic.',
  }),
  'data.stream.timestamp.field': key.list({
    default: '',
    importance: 'LOW',
    group: TARGETS,
    documentation:
      'The fields of the record that may contain @timestamp. The first field with a value is used. Empty means the timestamp of the record.',
  }),
  'external.resource.usage': key.string({
    default: 'DISABLED',
    validator: oneOf(['INDEX', 'DATASTREAM', 'ALIAS_INDEX', 'ALIAS_DATASTREAM', 'DISABLED'], IGNORE_CASE),
    importance: 'LOW',
    group: TARGETS,
    documentation:
      'The kind of the existing resources in topic.to.external.resource.mapping. The connector does not create them. DISABLED writes to resources named after topics.',
  }),
  'topic.to.external.resource.mapping': key.list({
    default: '',
    validator: pairs,
    importance: 'LOW',
    group: TARGETS,
    documentation: 'The existing resource for each topic, as TOPIC:RESOURCE pairs. Used with external.resource.usage.',
  }),
  'max.external.resource.mappings': key.int({
    default: 15,
    min: 1,
    importance: 'LOW',
    group: TARGETS,
    documentation: 'The maximum number of pairs in topic.to.external.resource.mapping.',
  }),
})

/**
 * All keys of Confluent's Elasticsearch sink, with its names and defaults, and some that only
 * Millrace has.
 */
export const config = defineConfig({
  ...connectionKeys,
  ...bulkKeys,
  ...conversionKeys,
  ...proxyKeys,
  ...securityKeys,
  ...targetKeys,
})

export type ElasticsearchConfig = ConfigValues<typeof config>
