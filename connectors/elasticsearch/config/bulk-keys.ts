import { defineConfig, key } from 'millrace/connect'

const CONNECTION = 'Connector'

/** Keys of the bulk requests: batching, back-pressure and retries. */
export const bulkKeys = defineConfig({
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
      'How long the task waits until records are written, in milliseconds. It waits if its buffer is full, and before a commit with flush.synchronously. After this time, the task retries the batch, or commits only the records that are written.',
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
