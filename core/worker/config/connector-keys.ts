import { checks, type RuntimeKey } from './runtime-keys.ts'

const COMMON = 'Common'
const ERRORS = 'Error Handling'
const RESTART = 'Automatic Restart'

/** What the common keys depend on in a given worker and configuration. */
export interface KeyContext {
  readonly connectorVersion?: string | null
  readonly connectorVersions?: readonly string[]
  /** The worker's own, which hold where a connector names none. Null in the bare listing of keys. */
  readonly converters?: Readonly<Record<'key' | 'value' | 'header', string>>
  readonly converterNames?: readonly string[]
  readonly headerConverterNames?: readonly string[]
  readonly converterVersion?: (which: 'key' | 'value' | 'header') => { version: string | null; all: readonly string[] }
}

function converterKeys(which: 'key' | 'value' | 'header', order: number, c: KeyContext): RuntimeKey[] {
  const title = which[0]!.toUpperCase() + which.slice(1)
  const version = c.converterVersion?.(which)
  const what =
    which === 'header'
      ? 'The class that turns header values into bytes and back. By default values are written as text and their types guessed when they are read.'
      : `The class that turns the ${which}s of records into bytes and back, whatever the connector: JSON, plain strings, Avro. Default: the one of the worker.`
  const shared = { importance: 'LOW', group: COMMON, width: 'SHORT' } as const
  return [
    {
      ...shared,
      name: `${which}.converter`,
      type: 'CLASS',
      default: c.converters?.[which] ?? null,
      documentation: what,
      orderInGroup: order,
      displayName: `${title} converter class`,
      recommended: which === 'header' ? (c.headerConverterNames ?? []) : (c.converterNames ?? []),
    },
    {
      ...shared,
      name: `${which}.converter.plugin.version`,
      type: 'STRING',
      default: version?.version ?? null,
      documentation: `Version of the ${which} converter, or a range of versions.`,
      orderInGroup: order + 1,
      displayName: `${title} converter version`,
      recommended: version?.all ?? [],
      visible: version === undefined || version.version !== null,
    },
  ]
}

/** The keys of every connector. */
export function commonConnectorKeys(c: KeyContext = {}): RuntimeKey[] {
  return [
    {
      name: 'name',
      type: 'STRING',
      importance: 'HIGH',
      documentation: 'The name of the connector, which no other connector of these workers has.',
      group: COMMON,
      orderInGroup: 1,
      width: 'MEDIUM',
      displayName: 'Connector name',
      check: checks.name,
    },
    {
      name: 'connector.class',
      type: 'STRING',
      importance: 'HIGH',
      documentation:
        'The class of the connector: its Java name, such as org.apache.kafka.connect.file.FileStreamSinkConnector, or a short one, such as FileStreamSink.',
      group: COMMON,
      orderInGroup: 2,
      width: 'LONG',
      displayName: 'Connector class',
    },
    {
      name: 'connector.plugin.version',
      type: 'STRING',
      default: c.connectorVersion ?? null,
      importance: 'MEDIUM',
      documentation: 'Version of the connector, or a range of versions such as [1.0,2.0).',
      group: COMMON,
      orderInGroup: 3,
      width: 'MEDIUM',
      displayName: 'Connector version',
      recommended: c.connectorVersions ?? [],
    },
    {
      name: 'tasks.max',
      type: 'INT',
      default: '1',
      importance: 'HIGH',
      documentation: 'How many tasks the connector may have at most.',
      group: COMMON,
      orderInGroup: 4,
      width: 'SHORT',
      displayName: 'Tasks max',
      check: checks.atLeast(1),
    },
    {
      name: 'tasks.max.enforce',
      type: 'BOOLEAN',
      default: 'true',
      importance: 'LOW',
      documentation:
        '(Deprecated) Whether a connector that makes more tasks than tasks.max fails. With false it may make as many as it likes.',
      group: COMMON,
      orderInGroup: 5,
      width: 'SHORT',
      displayName: 'Enforce tasks max',
    },
    ...converterKeys('key', 6, c),
    ...converterKeys('value', 8, c),
    ...converterKeys('header', 10, c),
    {
      name: 'transforms',
      type: 'LIST',
      default: '',
      importance: 'LOW',
      documentation: 'Aliases of the transformations that records pass through, in order.',
      group: 'Transforms',
      orderInGroup: 12,
      width: 'LONG',
      displayName: 'Transforms',
      check: checks.distinctAliases,
    },
    {
      name: 'predicates',
      type: 'LIST',
      default: '',
      importance: 'LOW',
      documentation: 'Aliases of the predicates that transformations refer to.',
      group: 'Predicates',
      orderInGroup: 13,
      width: 'LONG',
      displayName: 'Predicates',
      check: checks.distinctAliases,
    },
    {
      name: 'config.action.reload',
      type: 'STRING',
      default: 'restart',
      importance: 'LOW',
      documentation:
        "What happens when a config provider announces that a value expires: 'restart' restarts the connector then, 'none' does nothing.",
      group: COMMON,
      orderInGroup: 14,
      width: 'MEDIUM',
      displayName: 'Reload Action',
      check: checks.oneOf('none', 'restart'),
    },
    ...errorKeys(),
    ...restartKeys(),
  ]
}

function errorKeys(): RuntimeKey[] {
  return [
    {
      name: 'errors.retry.timeout',
      type: 'LONG',
      default: '0',
      importance: 'MEDIUM',
      documentation:
        'How long a failed operation on a record is tried again, milliseconds. 0: not at all; -1: without end.',
      group: ERRORS,
      orderInGroup: 1,
      width: 'MEDIUM',
      displayName: 'Retry Timeout for Errors',
    },
    {
      name: 'errors.retry.delay.max.ms',
      type: 'LONG',
      default: '60000',
      importance: 'MEDIUM',
      documentation: 'The longest wait between two such tries, milliseconds.',
      group: ERRORS,
      orderInGroup: 2,
      width: 'MEDIUM',
      displayName: 'Maximum Delay Between Retries for Errors',
    },
    {
      name: 'errors.tolerance',
      type: 'STRING',
      default: 'none',
      importance: 'MEDIUM',
      documentation: "What a bad record does: with 'none' it fails its task, with 'all' it is skipped.",
      group: ERRORS,
      orderInGroup: 3,
      width: 'SHORT',
      displayName: 'Error Tolerance',
      check: checks.oneOf('none', 'all'),
    },
    {
      name: 'errors.log.enable',
      type: 'BOOLEAN',
      default: 'false',
      importance: 'MEDIUM',
      documentation: 'Whether each tolerated error is logged with what failed.',
      group: ERRORS,
      orderInGroup: 4,
      width: 'SHORT',
      displayName: 'Log Errors',
    },
    {
      name: 'errors.log.include.messages',
      type: 'BOOLEAN',
      default: 'false',
      importance: 'MEDIUM',
      documentation:
        'Whether the log also says which record it was. Keys, values and headers can then end up in log files.',
      group: ERRORS,
      orderInGroup: 5,
      width: 'SHORT',
      displayName: 'Log Error Details',
    },
  ]
}

/** Not in Connect: what happens to a connector or task that failed. */
function restartKeys(): RuntimeKey[] {
  return [
    {
      name: 'errors.restart.policy',
      type: 'STRING',
      default: 'retriable',
      importance: 'MEDIUM',
      documentation:
        "Whether a failed connector or task is started again by itself: 'retriable' after errors that can pass, 'all' after any, 'none' never.",
      group: RESTART,
      orderInGroup: 1,
      width: 'SHORT',
      displayName: 'Restart Policy',
      check: checks.oneOf('none', 'retriable', 'all'),
    },
    {
      name: 'errors.restart.delay.ms',
      type: 'LONG',
      default: '1000',
      importance: 'LOW',
      documentation: 'The wait before the first restart, milliseconds. It doubles with every further one.',
      group: RESTART,
      orderInGroup: 2,
      width: 'MEDIUM',
      displayName: 'Restart Delay',
      check: checks.atLeast(1),
    },
    {
      name: 'errors.restart.delay.max.ms',
      type: 'LONG',
      default: '60000',
      importance: 'LOW',
      documentation: 'The longest wait before a restart, milliseconds.',
      group: RESTART,
      orderInGroup: 3,
      width: 'MEDIUM',
      displayName: 'Maximum Restart Delay',
      check: checks.atLeast(1),
    },
    {
      name: 'errors.restart.max',
      type: 'INT',
      default: '-1',
      importance: 'LOW',
      documentation:
        'How many restarts may follow each other without a healthy minute between them; -1: without limit.',
      group: RESTART,
      orderInGroup: 4,
      width: 'SHORT',
      displayName: 'Maximum Restarts',
      check: checks.atLeast(-1),
    },
  ]
}
