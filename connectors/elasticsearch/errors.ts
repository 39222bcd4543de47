import { defineErrors } from 'millrace/connect'

/** The errors of the Elasticsearch sink. */
export const errors = defineErrors({
  MR_ES_UNREACHABLE: {
    message: 'Elasticsearch at {url} cannot be reached: {cause}',
    fix: 'Check connection.url, the network, and that the cluster is up. The sink keeps the records and retries automatically.',
    retriable: true,
  },
  MR_ES_TIMEOUT: {
    message: 'Elasticsearch at {url} did not answer within read.timeout.ms ({timeout} ms)',
    fix: 'Check the load and the log of the cluster. If requests only need more time, raise read.timeout.ms or lower bulk.size.bytes. The sink keeps the records and retries automatically.',
    retriable: true,
  },
  MR_ES_ANSWER: {
    message: 'The answer from {url} to {method} {path} cannot be used: {cause}',
    fix: 'Check connection.url and any proxy or gateway in front of Elasticsearch. The sink keeps the records and retries automatically.',
    retriable: true,
  },
  MR_ES_UNAVAILABLE: {
    message:
      'Elasticsearch at {url} cannot write to the index {index} of topic {topic} at the moment ({status}): {cause}',
    fix: 'Check the health of the cluster (GET /_cluster/health) and its log. The sink keeps the records and retries automatically.',
    retriable: true,
  },
  MR_ES_BUSY: {
    message:
      'Elasticsearch at {url} is overloaded and rejects documents for the index {index} of topic {topic} ({status}): {cause}',
    fix: 'Check the load and the log of the cluster. If this continues, lower max.in.flight.requests or bulk.size.bytes. The sink keeps the records and retries automatically.',
    retriable: true,
  },
  MR_ES_CONFLICT: {
    message: 'Other writers are changing the same documents of the index {index} of topic {topic} ({status}): {cause}',
    fix: 'Let only one writer update a document at a time, or lower max.in.flight.requests. The sink keeps the records and retries automatically.',
    retriable: true,
  },
  MR_ES_INDEX: {
    message: 'Elasticsearch rejects all documents for the index {index} of topic {topic} ({status}): {cause}',
    fix: '{hint} The sink keeps the records and retries automatically.',
    retriable: true,
  },
  MR_ES_REQUEST: {
    message: 'Elasticsearch rejected {method} {path} for the index {index} of topic {topic} ({status}): {cause}',
    fix: 'Fix the problem that Elasticsearch reports. The sink keeps the records and retries automatically.',
    retriable: true,
  },
  MR_ES_AUTH: {
    message:
      'Elasticsearch at {url} rejected the credentials, or they do not allow writing to the index {index} of topic {topic} ({status}): {cause}',
    fix: 'Check connection.username and connection.password, connection.api.key or connection.bearer.token, and the privileges on the index. The task restarts and reads its configuration again.',
    retriable: true,
  },
  MR_ES_MALFORMED: {
    message:
      'Elasticsearch rejected the document {id} of index {index}, from {topic}-{partition} at offset {offset} ({status}): {cause}',
    fix: 'Correct the mapping or the data, send such records to a dead letter queue, or set behavior.on.malformed.documents to ignore or warn.',
  },
  MR_ES_TOO_LARGE: {
    message:
      'The document {id} of index {index}, from {topic}-{partition} at offset {offset}, is too large for Elasticsearch or a proxy in front of it: {bytes} bytes ({status}): {cause}',
    fix: 'Raise the limit (http.max_content_length, indexing_pressure.memory.limit, the heap size, or the limit of the proxy), send such records to a dead letter queue, or set behavior.on.malformed.documents to ignore or warn.',
  },
  MR_ES_ID: {
    message: 'The key of the record {topic}-{partition} at offset {offset} cannot be a document id: it is {found}',
    fix: 'Use a string or an integer as the key, or set key.ignore=true. If the key is a struct, ExtractField$Key can replace it by one of its fields.',
  },
  MR_ES_ID_TOO_LONG: {
    message:
      'The record {topic}-{partition} at offset {offset} has a key of {bytes} bytes, but a document id may have at most 512',
    fix: 'Shorten the key, or set key.ignore=true.',
  },
  MR_ES_DOCUMENT: {
    message: 'The value of {topic}-{partition} at offset {offset} is not a document: it is {found}',
    fix: 'A document must be a struct or a map. To write another value, wrap it in a struct with HoistField$Value.',
  },
  MR_ES_NULL: {
    message: 'The record {topic}-{partition} at offset {offset} has no value, and behavior.on.null.values is fail',
    fix: 'Set behavior.on.null.values to ignore, or to delete if a tombstone should delete its document.',
  },
  MR_ES_VERSION_HEADER: {
    message:
      'The header {header} of the record {topic}-{partition} at offset {offset} is missing or is not a whole number',
    fix: 'Make the producer write the version to this header, or remove external.version.header.',
  },
  MR_ES_TIMESTAMP: {
    message: 'The record {topic}-{partition} at offset {offset} has none of the fields {fields} for @timestamp',
    fix: 'Every record needs at least one of the fields that data.stream.timestamp.field lists. Correct the list, or leave it empty to use the timestamp of the record.',
  },
  MR_ES_KEYSTORE: {
    message: '{key} = {path} cannot be used: {cause}',
    fix: 'A key store must be PKCS12 or PEM, and a trust store must be PEM. Convert a JKS key store with keytool -importkeystore -deststoretype PKCS12. Export trusted certificates with keytool -exportcert -rfc.',
  },
  MR_ES_FINGERPRINT: {
    message: '{url} sent no certificate with the fingerprint {fingerprint}',
    fix: 'Correct elastic.https.ssl.ca.fingerprint: it is the SHA-256 fingerprint of the certificate authority or of the server certificate.',
  },
  MR_ES_TARGET: {
    message: 'The topic {topic} has no target resource: {cause}',
    fix: 'Correct topic.to.external.resource.mapping: it must have one topic:resource pair for each topic.',
  },
})
