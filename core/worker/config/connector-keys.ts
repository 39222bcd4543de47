import { type ConfigDef, defineConfig } from '../../common/config/define.ts'
import { key } from '../../common/config/key.ts'
import { oneOf } from '../../common/config/validators.ts'
import { errorKeys, restartKeys } from './error-keys.ts'
import { connectorName, distinctAliases } from './runtime-validators.ts'

const COMMON = 'Common'

type Which = 'key' | 'value' | 'header'

/**
 * The values, such as defaults, that the declarations of the common keys contain. They depend on
 * the worker and on the connector's configuration.
 */
export interface KeyContext {
  readonly connectorVersion?: string | null
  readonly connectorVersions?: readonly string[]
  /** The worker's converters, which are the defaults. Omitted if the keys are only listed. */
  readonly converters?: Readonly<Record<Which, string>>
  readonly converterNames?: readonly string[]
  readonly headerConverterNames?: readonly string[]
  readonly converterVersion?: (which: Which) => { version: string | null; all: readonly string[] }
}

const CONVERTERS: Readonly<Record<Which, string>> = {
  key: "The converter, such as JsonConverter or StringConverter, that converts record keys to and from bytes. Its own settings have the prefix 'key.converter.'. Default: the converter of the worker.",
  value:
    "The converter, such as JsonConverter or StringConverter, that converts record values to and from bytes. Its own settings have the prefix 'value.converter.'. Default: the converter of the worker.",
  header:
    "The converter, such as SimpleHeaderConverter, that converts header values to and from bytes. Its own settings have the prefix 'header.converter.'. Default: the converter of the worker, which is SimpleHeaderConverter unless configured.",
}

function converterKeys(which: Which, order: number, c: KeyContext): ConfigDef {
  const title = which[0]!.toUpperCase() + which.slice(1)
  const version = c.converterVersion?.(which)
  const names = which === 'header' ? c.headerConverterNames : c.converterNames
  const shared = { importance: 'LOW', group: COMMON, width: 'SHORT' } as const
  return {
    [`${which}.converter`]: key.class({
      ...shared,
      default: c.converters?.[which] ?? null,
      documentation: CONVERTERS[which],
      orderInGroup: order,
      displayName: `${title} converter class`,
      recommend: () => names ?? [],
    }),
    [`${which}.converter.plugin.version`]: key.string({
      ...shared,
      default: version?.version ?? null,
      documentation: `The version of the ${which} converter, or a range of versions such as [1.0,2.0). Default: the latest installed version.`,
      orderInGroup: order + 1,
      displayName: `${title} converter version`,
      recommend: () => version?.all ?? [],
      visible: version === undefined || version.version !== null,
    }),
  }
}

/** The keys of every connector. */
export function commonConnectorKeys(c: KeyContext = {}): ConfigDef {
  return defineConfig({
    name: key.string({
      validator: connectorName,
      importance: 'HIGH',
      group: COMMON,
      orderInGroup: 1,
      width: 'MEDIUM',
      displayName: 'Connector name',
      documentation: 'The name of the connector. It must be unique in the cluster of workers.',
    }),
    'connector.class': key.string({
      importance: 'HIGH',
      group: COMMON,
      orderInGroup: 2,
      width: 'LONG',
      displayName: 'Connector class',
      documentation:
        'The class of the connector. Either its full name, such as org.apache.kafka.connect.file.FileStreamSinkConnector, or a short name, such as FileStreamSink.',
    }),
    'connector.plugin.version': key.string({
      default: c.connectorVersion ?? null,
      importance: 'MEDIUM',
      group: COMMON,
      orderInGroup: 3,
      width: 'MEDIUM',
      displayName: 'Connector version',
      recommend: () => c.connectorVersions ?? [],
      documentation:
        'The version of the connector plugin, or a range of versions such as [1.0,2.0). Default: the latest installed version.',
    }),
    'tasks.max': key.int({
      default: 1,
      min: 1,
      importance: 'HIGH',
      group: COMMON,
      orderInGroup: 4,
      width: 'SHORT',
      displayName: 'Tasks max',
      documentation:
        'The maximum number of tasks. A connector may create fewer. Increase it to process more partitions or files in parallel.',
    }),
    'tasks.max.enforce': key.boolean({
      default: true,
      importance: 'LOW',
      group: COMMON,
      orderInGroup: 5,
      width: 'SHORT',
      displayName: 'Enforce tasks max',
      documentation:
        '(Deprecated) Whether a connector fails if it creates more tasks than tasks.max. With false, the extra tasks run.',
    }),
    ...converterKeys('key', 6, c),
    ...converterKeys('value', 8, c),
    ...converterKeys('header', 10, c),
    transforms: key.list({
      default: '',
      validator: distinctAliases,
      importance: 'LOW',
      group: 'Transforms',
      orderInGroup: 12,
      width: 'LONG',
      displayName: 'Transforms',
      documentation:
        "The aliases of the transformations to apply to each record, in order. Each needs 'transforms.ALIAS.type' and may have 'transforms.ALIAS.predicate'.",
    }),
    predicates: key.list({
      default: '',
      validator: distinctAliases,
      importance: 'LOW',
      group: 'Predicates',
      orderInGroup: 13,
      width: 'LONG',
      displayName: 'Predicates',
      documentation: "The aliases of the predicates that transformations refer to. Each needs 'predicates.ALIAS.type'.",
    }),
    'config.action.reload': key.string({
      default: 'restart',
      validator: oneOf(['none', 'restart']),
      importance: 'LOW',
      group: COMMON,
      orderInGroup: 14,
      width: 'MEDIUM',
      displayName: 'Reload Action',
      noEffect: 'The config providers of this version never announce that a value expires.',
      documentation:
        'What happens when a config provider announces that a value expires. restart: the connector restarts at that time. none: nothing.',
    }),
    ...errorKeys,
    ...restartKeys,
  })
}
