import { defineErrors } from '../../core/connect/index.ts'

/** What can go wrong between a topic and an index. */
export const errors = defineErrors({
  MR_ES_UNREACHABLE: {
    message: 'Elasticsearch at {url} cannot be reached: {cause}',
    fix: 'Check connection.url and that the cluster is up. The sink goes on by itself when it is back; nothing is lost meanwhile.',
    retriable: true,
  },
  MR_ES_BUSY: {
    message: 'Elasticsearch refused {count} documents for now ({status}: {cause}), after {attempts} attempts',
    fix: 'The cluster is overloaded or its disk is full; look at its log. The sink tries again by itself.',
    retriable: true,
  },
  MR_ES_AUTH: {
    message: 'Elasticsearch at {url} refused the login or its rights ({status}): {cause}',
    fix: 'Check connection.username and connection.password, and that the user may write to the index {index}.',
  },
  MR_ES_REQUEST: {
    message: 'Elasticsearch answered {method} {path} with {status}: {cause}',
    fix: 'Correct what it complains about; then restart the task.',
  },
  MR_ES_MALFORMED: {
    message:
      'Elasticsearch refused the document {id} of index {index}, from {topic}-{partition} at offset {offset} ({status}): {cause}',
    fix: 'Correct the mapping or the data, send such records to a dead letter queue, or set behavior.on.malformed.documents to ignore or warn.',
  },
  MR_ES_ID: {
    message: 'the record {topic}-{partition} at offset {offset} cannot have a document id: its key is {found}',
    fix: 'Give it a key that is a text or an integer (ExtractField$Key takes one out of a struct), or set key.ignore=true.',
  },
  MR_ES_ID_TOO_LONG: {
    message:
      'the record {topic}-{partition} at offset {offset} has a key of {bytes} bytes; Elasticsearch takes ids of 512 at most',
    fix: 'Shorten the key, or set key.ignore=true.',
  },
  MR_ES_DOCUMENT: {
    message: 'the value of {topic}-{partition} at offset {offset} is not a document: it is {found}',
    fix: 'A document is a struct or a map; HoistField$Value puts another value into one.',
  },
  MR_ES_NULL: {
    message: 'the record {topic}-{partition} at offset {offset} has no value, and behavior.on.null.values is fail',
    fix: 'Set behavior.on.null.values to ignore, or to delete if a tombstone means that the document goes.',
  },
  MR_ES_VERSION_HEADER: {
    message: 'the record {topic}-{partition} at offset {offset} has no whole number in its header {header}',
    fix: 'Let the producer write the version there, or remove external.version.header.',
  },
  MR_ES_TIMESTAMP: {
    message: 'the record {topic}-{partition} at offset {offset} has none of the fields {fields} for @timestamp',
    fix: 'Correct data.stream.timestamp.field.',
  },
  MR_ES_KEYSTORE: {
    message: '{key} = {path} cannot be used: {cause}',
    fix: 'Give a PKCS12 store or PEM files; convert a JKS store with keytool -importkeystore -deststoretype PKCS12.',
  },
  MR_ES_TARGET: {
    message: 'the topic {topic} has no target: {cause}',
    fix: 'Correct topic.to.external.resource.mapping, one topic:resource for each topic.',
  },
})
