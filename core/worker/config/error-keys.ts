import { defineConfig } from '../../common/config/define.ts'
import { key } from '../../common/config/key.ts'
import { oneOf } from '../../common/config/validators.ts'

const ERRORS = 'Error Handling'
const RESTART = 'Automatic Restart'

/** How the runtime handles records that cannot be converted, transformed or delivered. */
export const errorKeys = defineConfig({
  'errors.retry.timeout': key.long({
    default: 0,
    importance: 'MEDIUM',
    group: ERRORS,
    orderInGroup: 1,
    width: 'MEDIUM',
    displayName: 'Retry Timeout for Errors',
    documentation:
      'How long the runtime retries a failed operation on a record, such as a conversion or a transformation, in milliseconds. 0 means no retries. -1 means retrying without limit.',
  }),
  'errors.retry.delay.max.ms': key.long({
    default: 60000,
    importance: 'MEDIUM',
    group: ERRORS,
    orderInGroup: 2,
    width: 'MEDIUM',
    displayName: 'Maximum Delay Between Retries for Errors',
    documentation:
      'The longest delay between two retries of an operation on a record, in milliseconds. Used with errors.retry.timeout.',
  }),
  'errors.tolerance': key.string({
    default: 'none',
    validator: oneOf(['none', 'all']),
    importance: 'MEDIUM',
    group: ERRORS,
    orderInGroup: 3,
    width: 'SHORT',
    displayName: 'Error Tolerance',
    documentation:
      'What happens to a record that cannot be processed. none: it fails the task. all: it is skipped. A sink also sends it to the dead letter queue, if there is one.',
  }),
  'errors.log.enable': key.boolean({
    default: false,
    importance: 'MEDIUM',
    group: ERRORS,
    orderInGroup: 4,
    width: 'SHORT',
    displayName: 'Log Errors',
    documentation: 'Whether each tolerated error is logged, with the operation that failed.',
  }),
  'errors.log.include.messages': key.boolean({
    default: false,
    importance: 'MEDIUM',
    group: ERRORS,
    orderInGroup: 5,
    width: 'SHORT',
    displayName: 'Log Error Details',
    documentation:
      'Whether errors.log.enable also logs the key and value of the record. Log files may then contain sensitive data.',
  }),
})

/** The keys of the dead letter queue, which receives the records that a sink skips. */
export const deadLetterQueueKeys = defineConfig({
  'errors.deadletterqueue.topic.name': key.string({
    default: '',
    importance: 'MEDIUM',
    group: ERRORS,
    orderInGroup: 6,
    width: 'MEDIUM',
    displayName: 'Dead Letter Queue Topic Name',
    documentation:
      'The topic that receives the original bytes of records that this sink skips. Use it with errors.tolerance=all. Empty means no dead letter queue.',
  }),
  'errors.deadletterqueue.topic.replication.factor': key.short({
    default: 3,
    importance: 'MEDIUM',
    group: ERRORS,
    orderInGroup: 7,
    width: 'MEDIUM',
    displayName: 'Dead Letter Queue Topic Replication Factor',
    documentation:
      'The replication factor of the dead letter queue, if the runtime creates it. If you do not set this key and there are fewer brokers, the topic gets as many replicas as there are brokers.',
  }),
  'errors.deadletterqueue.context.headers.enable': key.boolean({
    default: false,
    importance: 'MEDIUM',
    group: ERRORS,
    orderInGroup: 8,
    width: 'MEDIUM',
    displayName: 'Enable Error Context Headers',
    documentation:
      'Whether records in the dead letter queue have the headers __connect.errors.*, which describe the error and the origin of the record.',
  }),
})

/** How failed connectors and tasks restart. Connect does not have these keys. */
export const restartKeys = defineConfig({
  'errors.restart.policy': key.string({
    default: 'retriable',
    validator: oneOf(['none', 'retriable', 'all']),
    importance: 'MEDIUM',
    group: RESTART,
    orderInGroup: 1,
    width: 'SHORT',
    displayName: 'Restart Policy',
    documentation:
      'When a failed connector or task restarts automatically. retriable: after errors that may be temporary, such as a lost connection. all: after every error. none: never, as in Connect. Millrace only.',
  }),
  'errors.restart.delay.ms': key.long({
    default: 1000,
    min: 1,
    importance: 'LOW',
    group: RESTART,
    orderInGroup: 2,
    width: 'MEDIUM',
    displayName: 'Restart Delay',
    documentation:
      'The delay before the first automatic restart, in milliseconds. The delay doubles with each further restart. Millrace only.',
  }),
  'errors.restart.delay.max.ms': key.long({
    default: 60000,
    min: 1,
    importance: 'LOW',
    group: RESTART,
    orderInGroup: 3,
    width: 'MEDIUM',
    displayName: 'Maximum Restart Delay',
    documentation: 'The longest delay before an automatic restart, in milliseconds. Millrace only.',
  }),
  'errors.restart.max': key.int({
    default: -1,
    min: -1,
    importance: 'LOW',
    group: RESTART,
    orderInGroup: 4,
    width: 'SHORT',
    displayName: 'Maximum Restarts',
    documentation:
      'The maximum number of automatic restarts in a row. The count starts again after the connector or task has run for a minute without failing. -1 means no limit. Millrace only.',
  }),
})
