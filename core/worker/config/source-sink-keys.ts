import { type ConfigDef, defineConfig } from '../../common/config/define.ts'
import { key } from '../../common/config/key.ts'
import { listItems } from '../../common/config/parse.ts'
import { distinctItems, nonEmpty, oneOf, range, regex } from '../../common/config/validators.ts'
import { matchesInTime } from '../../common/regex/bounded.ts'
import { JavaPattern } from '../../common/regex/java-pattern.ts'
import type { Props } from '../../connect/props.ts'
import { deadLetterQueueKeys } from './error-keys.ts'
import { distinctGroups } from './runtime-validators.ts'

/** The time limit for matching a connector's pattern, ms. The match blocks the herder's thread. */
const MATCH_TIMEOUT_MS = 200
const EXACTLY_ONCE = 'Exactly Once Support'
const NO_EXACTLY_ONCE = 'Exactly-once delivery is not supported yet.'

/** The keys of every source connector, in addition to the common keys. */
export const sourceKeys: ConfigDef = defineConfig({
  'topic.creation.groups': key.list({
    default: '',
    validator: distinctGroups,
    importance: 'LOW',
    group: 'Topic Creation',
    orderInGroup: 1,
    width: 'LONG',
    displayName: 'Topic Creation Groups',
    documentation:
      "The names of groups of topics that the connector creates with their own settings. Each group has the keys 'topic.creation.GROUP.include', '.exclude', '.partitions', '.replication.factor' and any topic setting. Topics that match no group use 'topic.creation.default.'.",
  }),
  'exactly.once.support': key.string({
    default: 'requested',
    validator: oneOf(['required', 'requested'], { ignoreCase: true }),
    importance: 'MEDIUM',
    group: EXACTLY_ONCE,
    orderInGroup: 2,
    width: 'SHORT',
    displayName: 'Exactly once support',
    documentation:
      'Whether exactly-once delivery is mandatory. required: the configuration is rejected, because this version does not support it. requested: the connector delivers at least once.',
  }),
  'transaction.boundary': key.string({
    default: 'poll',
    validator: oneOf(['interval', 'poll', 'connector'], { ignoreCase: true }),
    importance: 'MEDIUM',
    group: EXACTLY_ONCE,
    orderInGroup: 3,
    width: 'SHORT',
    displayName: 'Transaction Boundary',
    noEffect: NO_EXACTLY_ONCE,
    documentation:
      'With exactly-once delivery, this key defines where a transaction ends. poll: after each batch. interval: after transaction.boundary.interval.ms. connector: where the connector decides.',
  }),
  'transaction.boundary.interval.ms': key.long({
    default: null,
    // For this key, Connect does not report the validator's error about null.
    validator: { ...range(0), ofNull: undefined },
    importance: 'LOW',
    group: EXACTLY_ONCE,
    orderInGroup: 4,
    width: 'SHORT',
    displayName: 'Transaction boundary interval',
    noEffect: NO_EXACTLY_ONCE,
    documentation:
      'The length of a transaction with transaction.boundary=interval, in milliseconds. Default: offset.flush.interval.ms of the worker.',
  }),
  'offsets.storage.topic': key.string({
    default: null,
    validator: nonEmpty,
    importance: 'LOW',
    group: 'offsets.topic',
    orderInGroup: 1,
    width: 'LONG',
    displayName: 'Offsets topic',
    documentation:
      'A separate topic for the source offsets of this connector. Default: the offset topic of the worker. Standalone workers ignore it.',
  }),
})

/** The keys of every sink connector, in addition to the common keys. */
export const sinkKeys: ConfigDef = defineConfig({
  topics: key.list({
    default: '',
    validator: distinctItems({ allowEmpty: true }),
    importance: 'HIGH',
    group: 'Common',
    orderInGroup: 4,
    width: 'LONG',
    displayName: 'Topics',
    documentation: 'The topics to consume, separated by commas. Set either this key or topics.regex.',
  }),
  'topics.regex': key.string({
    default: '',
    validator: regex,
    importance: 'HIGH',
    group: 'Common',
    orderInGroup: 4,
    width: 'LONG',
    displayName: 'Topics regex',
    documentation:
      'A regular expression that matches the whole names of the topics to consume. New topics that match are consumed too. Set either this key or topics.',
  }),
  ...deadLetterQueueKeys,
})

/**
 * Checks the sink settings that depend on each other. Returns errors by key, with Connect's
 * messages.
 */
export function checkSink(props: Props): [key: string, error: string][] {
  const topics = listItems(props['topics'])
  const regex = (props['topics.regex'] ?? '').trim()
  const dlq = (props['errors.deadletterqueue.topic.name'] ?? '').trim()
  const both = (error: string): [string, string][] => [
    ['topics', error],
    ['topics.regex', error],
  ]
  if ((props['topics'] ?? '').trim() === '' && regex === '') return both('Must configure one of topics or topics.regex')
  if (topics.length > 0 && regex !== '')
    return both('topics and topics.regex are mutually exclusive options, but both are set.')
  if (dlq === '') return []
  if (topics.includes(dlq)) {
    const error = `The DLQ topic '${dlq}' may not be included in the list of topics ('topics=[${topics.join(', ')}]') consumed by the connector`
    return [['topics', error]]
  }
  if (regex === '' || JavaPattern.wrong(regex) !== null) return []
  const matches = matchesInTime(JavaPattern.compile(regex), dlq, MATCH_TIMEOUT_MS)
  if (matches === null) {
    const error = `The regex for the topics ('topics.regex=${regex}') takes too long to match: simplify its nested repetitions, or make them possessive ('++')`
    return [['topics.regex', error]]
  }
  if (matches) {
    const error = `The DLQ topic '${dlq}' may not be matched by the regex for the topics ('topics.regex=${regex}') consumed by the connector`
    return [['topics.regex', error]]
  }
  return []
}

/** Checks the source settings that depend on each other. Returns errors by key. */
export function checkSource(props: Props): [key: string, error: string][] {
  const errors: [string, string][] = []
  if (props['exactly.once.support']?.toLowerCase() === 'required') {
    errors.push(['exactly.once.support', 'This worker does not have exactly-once source support enabled.'])
  }
  if (props['transaction.boundary']?.toLowerCase() === 'connector') {
    errors.push([
      'transaction.boundary',
      'The connector does not support connector-defined transaction boundaries with the given configuration. Please reconfigure it to use a different transaction boundary definition.',
    ])
  }
  return [...errors, ...checkTopicCreation(props)]
}

/**
 * Checks topic creation groups. Connect does not find invalid groups during validation, and the
 * connector fails when it starts.
 */
function checkTopicCreation(props: Props): [key: string, error: string][] {
  const groups = listItems(props['topic.creation.groups'])
  const used = ['partitions', 'replication.factor'].some(k => props[`topic.creation.default.${k}`] !== undefined)
  if (groups.length === 0 && !used) return []
  const errors: [string, string][] = []
  const wrong = (error: string) => errors.push(['topic.creation.groups', error])
  for (const group of ['default', ...groups]) {
    for (const key of ['replication.factor', 'partitions']) {
      const name = `topic.creation.${group}.${key}`
      const text = props[name]
      if (text === undefined) {
        if (group === 'default') wrong(`Missing required configuration "${name}" which has no default value.`)
      } else if (!/^(-1|[1-9]\d*)$/.test(text.trim())) {
        wrong(
          `Invalid value ${text} for configuration ${name}: it must be a positive number, or -1 for the default of the broker`,
        )
      }
    }
    for (const key of ['include', 'exclude']) {
      const name = `topic.creation.${group}.${key}`
      for (const pattern of listItems(props[name])) {
        const error = JavaPattern.wrong(pattern)
        if (error !== null) wrong(`Invalid value ${props[name]} for configuration ${name}: ${error}`)
      }
    }
    const include = `topic.creation.${group}.include`
    if (group !== 'default' && props[include] === undefined)
      wrong(`Missing required configuration "${include}" which has no default value.`)
  }
  return errors
}
