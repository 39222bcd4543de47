import { defineConfig, key, oneOf } from 'millrace/connect'
import { dataset, namePart, pairs } from './validators.ts'

const TARGETS = 'Data Stream'
const IGNORE_CASE = { ignoreCase: true }

/** Keys that define to which index, alias or data stream a record is written. */
export const targetKeys = defineConfig({
  'data.stream.type': key.string({
    default: 'NONE',
    validator: oneOf(['NONE', 'LOGS', 'METRICS'], IGNORE_CASE),
    importance: 'LOW',
    group: TARGETS,
    documentation:
      'With LOGS or METRICS, the sink writes to the data stream {type}-{dataset}-{namespace}, to which documents are only added. With NONE, it writes to an index.',
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
      'The fields of the record from which @timestamp is taken. The first field with a value is used. Empty means the timestamp of the record.',
  }),
  'external.resource.usage': key.string({
    default: 'DISABLED',
    validator: oneOf(['INDEX', 'DATASTREAM', 'ALIAS_INDEX', 'ALIAS_DATASTREAM', 'DISABLED'], IGNORE_CASE),
    importance: 'LOW',
    group: TARGETS,
    documentation:
      'The kind of the existing resources in topic.to.external.resource.mapping. The connector does not create them. With DISABLED, it writes to resources named after topics.',
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
