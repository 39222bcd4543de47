import { listItems } from '../../common/config/parse.ts'
import { distinctItems } from '../../common/config/validators.ts'
import { matchesInTime } from '../../common/regex/bounded.ts'
import { JavaPattern } from '../../common/regex/java-pattern.ts'
import type { Props } from '../../connect/props.ts'
import { checks, type RuntimeKey } from './runtime-keys.ts'

/** How long a connector's pattern may run on the herder's thread. */
const MATCH_TIMEOUT_MS = 200
const TOPICS = distinctItems({ allowEmpty: true })
const EXACTLY_ONCE = 'Exactly Once Support'
const ERRORS = 'Error Handling'

/** The keys of every source connector, beside the common ones. */
export function sourceKeys(): RuntimeKey[] {
  return [
    {
      name: 'topic.creation.groups',
      type: 'LIST',
      default: '',
      importance: 'LOW',
      documentation: 'Names of groups of settings for the topics that the connector creates.',
      group: 'Topic Creation',
      orderInGroup: 1,
      width: 'LONG',
      displayName: 'Topic Creation Groups',
      check: checks.noDuplicates,
    },
    {
      name: 'exactly.once.support',
      type: 'STRING',
      default: 'requested',
      importance: 'MEDIUM',
      documentation:
        "With 'required' the connector is refused unless it and the worker can deliver each record exactly once; 'requested' takes what there is.",
      group: EXACTLY_ONCE,
      orderInGroup: 2,
      width: 'SHORT',
      displayName: 'Exactly once support',
      check: checks.oneOfIgnoringCase('required', 'requested'),
    },
    {
      name: 'transaction.boundary',
      type: 'STRING',
      default: 'poll',
      importance: 'MEDIUM',
      documentation:
        "Where transactions end when records are delivered exactly once: with each 'poll', by an 'interval', or where the 'connector' says.",
      group: EXACTLY_ONCE,
      orderInGroup: 3,
      width: 'SHORT',
      displayName: 'Transaction Boundary',
      check: checks.oneOfIgnoringCase('interval', 'poll', 'connector'),
    },
    {
      name: 'transaction.boundary.interval.ms',
      type: 'LONG',
      default: null,
      importance: 'LOW',
      documentation:
        "The interval of transactions when transaction.boundary is 'interval', milliseconds. Default: that of offset commits.",
      group: EXACTLY_ONCE,
      orderInGroup: 4,
      width: 'SHORT',
      displayName: 'Transaction boundary interval',
      check: value => (value !== null && (value as number) < 0 ? 'Value must be at least 0' : null),
    },
    {
      name: 'offsets.storage.topic',
      type: 'STRING',
      default: null,
      importance: 'LOW',
      documentation:
        'A topic of its own for the offsets of this connector. Default: the one of the worker. Not used in standalone mode.',
      group: 'offsets.topic',
      orderInGroup: 1,
      width: 'LONG',
      displayName: 'Offsets topic',
      check: value => (value !== null && String(value).trim() === '' ? 'String must be non-empty' : null),
    },
  ]
}

/** The keys of every sink connector, beside the common ones. */
export function sinkKeys(): RuntimeKey[] {
  return [
    {
      name: 'topics',
      type: 'LIST',
      default: '',
      importance: 'HIGH',
      documentation: 'The topics to consume, separated by commas.',
      group: 'Common',
      orderInGroup: 4,
      width: 'LONG',
      displayName: 'Topics',
      complete: true,
      check: value => (value === null ? TOPICS.ofNull!.replace('{name}', 'topics') : TOPICS.check(value, 'topics')),
    },
    {
      name: 'topics.regex',
      type: 'STRING',
      default: '',
      importance: 'HIGH',
      documentation: 'A regular expression of the topics to consume. Exactly one of topics and topics.regex is given.',
      group: 'Common',
      orderInGroup: 4,
      width: 'LONG',
      displayName: 'Topics regex',
      check: checks.regex,
    },
    {
      name: 'errors.deadletterqueue.topic.name',
      type: 'STRING',
      default: '',
      importance: 'MEDIUM',
      documentation: 'The topic that takes the records which could not be handled. Empty: none does.',
      group: ERRORS,
      orderInGroup: 6,
      width: 'MEDIUM',
      displayName: 'Dead Letter Queue Topic Name',
    },
    {
      name: 'errors.deadletterqueue.topic.replication.factor',
      type: 'SHORT',
      default: '3',
      importance: 'MEDIUM',
      documentation: 'The replication factor with which that topic is created when it does not exist.',
      group: ERRORS,
      orderInGroup: 7,
      width: 'MEDIUM',
      displayName: 'Dead Letter Queue Topic Replication Factor',
    },
    {
      name: 'errors.deadletterqueue.context.headers.enable',
      type: 'BOOLEAN',
      default: 'false',
      importance: 'MEDIUM',
      documentation: 'Whether records in that topic carry headers, __connect.errors.*, that say what failed and where.',
      group: ERRORS,
      orderInGroup: 8,
      width: 'MEDIUM',
      displayName: 'Enable Error Context Headers',
    },
  ]
}

/** What no single key can say about a sink: errors by key, in Connect's words. */
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
  if (regex === '' || checks.regex(regex) !== null) return []
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

/** What no single key can say about a source. */
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

/** Connect accepts these and fails at the start of the connector: here they are refused with the configuration. */
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
