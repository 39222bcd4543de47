import { type ConfigValues, defineConfig } from '../../../common/config/define.ts'
import { parseConfig } from '../../../common/config/parse.ts'
import { oneOf } from '../../../common/config/validators.ts'
import type { Props } from '../../../connect/props.ts'

/** The `errors.*` keys of every connector, with Connect's defaults. */
export const errorConfig = defineConfig({
  'errors.retry.timeout': {
    type: 'LONG',
    default: 0,
    importance: 'MEDIUM',
    documentation: 'How long a failed conversion or transformation is tried again, ms. 0: not at all. -1: without end.',
  },
  'errors.retry.delay.max.ms': {
    type: 'LONG',
    default: 60000,
    importance: 'MEDIUM',
    documentation: 'The longest wait between two tries, ms.',
  },
  'errors.tolerance': {
    type: 'STRING',
    default: 'none',
    importance: 'MEDIUM',
    validator: oneOf(['none', 'all']),
    documentation: 'none: the first bad record fails the task. all: bad records are skipped.',
  },
  'errors.log.enable': {
    type: 'BOOLEAN',
    default: false,
    importance: 'MEDIUM',
    documentation: 'Whether every bad record is written to the log, not only those that fail the task.',
  },
  'errors.log.include.messages': {
    type: 'BOOLEAN',
    default: false,
    importance: 'MEDIUM',
    documentation: "Whether the log shows the bad record's key and value too.",
  },
  'errors.deadletterqueue.topic.name': {
    type: 'STRING',
    default: '',
    importance: 'MEDIUM',
    documentation: 'Sinks: the topic that bad records are written to. Empty: none.',
  },
  'errors.deadletterqueue.topic.replication.factor': {
    type: 'SHORT',
    default: 3,
    importance: 'MEDIUM',
    documentation: 'Replicas of the dead letter queue where it has to be created.',
  },
  'errors.deadletterqueue.context.headers.enable': {
    type: 'BOOLEAN',
    default: false,
    importance: 'MEDIUM',
    documentation: 'Whether headers __connect.errors.* tell what failed, where and why.',
  },
})

export type ErrorConfig = ConfigValues<typeof errorConfig>

/** Parses the `errors.*` keys; throws a ConfigError. */
export function parseErrorConfig(props: Props): ErrorConfig {
  return parseConfig(errorConfig, props)
}
