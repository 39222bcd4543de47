import { ConfigError, listItems } from '../../common/config/parse.ts'
import type { Props } from '../../connect/props.ts'
import { clientKeyNames, clientProps } from '../config/client-overrides.ts'
import { withPrefix } from '../config/with-prefix.ts'
import type { WorkerConfig } from '../config/worker-config.ts'
import type { PluginDescriptor } from '../plugins/manifest.ts'
import { type PluginKind, type PluginRegistry, pluginRef } from '../plugins/registry.ts'
import { parseRange } from '../plugins/versions.ts'
import type { ConnectorSpec, PluginSpec, TaskSpec, TransformSpec } from '../task/host/messages-in.ts'

export interface LauncherOptions {
  readonly config: WorkerConfig
  readonly registry: PluginRegistry
}

/** A timeout, in ms, that never expires in practice. Connect uses the same value. */
const INT_MAX = '2147483647'

/** Builds the start requests of connectors and tasks from the stored configurations. */
export class Launcher {
  readonly #o: LauncherOptions

  constructor(options: LauncherOptions) {
    this.#o = options
  }

  /**
   * Resolves the config provider references of a configuration. Throws a ConfigError if a reference
   * cannot be resolved.
   */
  resolve(props: Props): Props {
    return this.#o.config.providers.resolve(props)
  }

  /** Finds the connector plugin of a resolved configuration. Throws MR_PLUGIN_*. */
  plugin(props: Props): PluginDescriptor {
    return this.#find('connector', props['connector.class'] ?? '', props['connector.plugin.version'])
  }

  /** Returns the type of a connector. Throws MR_PLUGIN_* or a ConfigError. */
  typeOf(raw: Props): 'source' | 'sink' {
    return this.pluginOf(raw).type === 'source' ? 'source' : 'sink'
  }

  /**
   * Finds the connector plugin of a stored configuration, whose references are not resolved. Throws
   * MR_PLUGIN_* or a ConfigError.
   */
  pluginOf(raw: Props): PluginDescriptor {
    const own = ['connector.class', 'connector.plugin.version'].filter(key => key in raw)
    return this.plugin(this.resolve(Object.fromEntries(own.map(key => [key, raw[key]!]))))
  }

  connector(name: string, raw: Props): ConnectorSpec {
    const props = this.resolve(raw)
    const plugin = this.plugin(props)
    return {
      plugin: pluginRef(plugin),
      type: plugin.type === 'source' ? 'source' : 'sink',
      connector: name,
      props: { ...props, name },
      offsets: { kind: 'herder' },
    }
  }

  task(name: string, taskId: number, rawConnector: Props, rawTask: Props, paused: boolean): TaskSpec {
    const { config } = this.#o
    const props = this.resolve(rawConnector)
    const plugin = this.plugin(props)
    const type = plugin.type === 'source' ? 'source' : 'sink'
    const servers = { 'bootstrap.servers': config.values['bootstrap.servers'].join(',') }
    const producer = {
      ...servers,
      'client.id': `connector-producer-${name}-${taskId}`,
      acks: 'all',
      'max.block.ms': INT_MAX,
      'delivery.timeout.ms': INT_MAX,
    }
    const consumer = {
      ...servers,
      'client.id': `connector-consumer-${name}-${taskId}`,
      'group.id': `connect-${name}`,
      'enable.auto.commit': 'false',
      'auto.offset.reset': 'earliest',
    }
    const admin = { ...servers, 'client.id': `connector-adminclient-${name}-${taskId}` }
    return {
      type,
      connector: name,
      taskId,
      plugin: pluginRef(plugin),
      connectorProps: { ...props, name },
      taskProps: this.resolve(rawTask),
      keyConverter: this.#converter('key', props),
      valueConverter: this.#converter('value', props),
      headerConverter: this.#converter('header', props),
      transforms: this.#transforms(props),
      producer: clientProps('producer', producer, config.props, props),
      consumer: clientProps('consumer', consumer, config.props, props),
      admin: clientProps('admin', admin, config.props, props),
      clientKeyNames: {
        producer: clientKeyNames('producer', config.props, props),
        consumer: clientKeyNames('consumer', config.props, props),
        admin: clientKeyNames('admin', config.props, props),
      },
      offsets: { kind: 'herder' },
      paused,
      offsetFlushIntervalMs: config.values['offset.flush.interval.ms'],
      metricsWindow: {
        windowMs: config.values['metrics.sample.window.ms'],
        samples: config.values['metrics.num.samples'],
      },
      topicCreationEnabled: config.values['topic.creation.enable'],
      topicTracking: config.values['topic.tracking.enable'],
    }
  }

  /** Returns the consumer group of a sink connector. */
  sinkGroup(name: string, rawConnector: Props): string {
    return this.task(name, 0, rawConnector, {}, true).consumer['group.id'] ?? `connect-${name}`
  }

  /**
   * Returns a task configuration as it is stored. As in Connect, it also has `task.class` and, for
   * a sink, the topics. Config provider references are not resolved.
   */
  storedTask(rawConnector: Props, task: Props): Props {
    const resolved = this.resolve(rawConnector)
    const plugin = this.plugin(resolved)
    const stored: Record<string, string> = { ...task, 'task.class': taskClassOf(plugin.className) }
    if (plugin.type === 'sink') {
      for (const key of ['topics', 'topics.regex']) if (resolved[key] !== undefined) stored[key] = resolved[key]
    }
    for (const [key, raw] of Object.entries(rawConnector)) {
      if (resolved[key] !== raw && stored[key] === resolved[key]) stored[key] = raw
    }
    return stored
  }

  #converter(which: 'key' | 'value' | 'header', props: Props): PluginSpec {
    const { config } = this.#o
    const own = props[`${which}.converter`]
    const from = own === undefined ? config.props : props
    const name = own ?? config.values[`${which}.converter`]
    const plugin = this.#find(
      which === 'header' ? 'header_converter' : 'converter',
      name,
      from[`${which}.converter.plugin.version`],
    )
    const prefix = `${which}.converter.`
    return { plugin: pluginRef(plugin), props: withPrefix(from, prefix), prefix }
  }

  #transforms(props: Props): TransformSpec[] {
    return listItems(props['transforms']).map((alias): TransformSpec => {
      const own = withPrefix(props, `transforms.${alias}.`)
      const plugin = this.#find('transformation', own['type'] ?? '', own['plugin.version'])
      const predicate = own['predicate']
      return {
        alias,
        plugin: pluginRef(plugin),
        props: own,
        prefix: `transforms.${alias}.`,
        predicate: predicate ? this.#predicate(predicate, props) : undefined,
        negate: own['negate']?.toLowerCase() === 'true',
      }
    })
  }

  #predicate(alias: string, props: Props): PluginSpec & { alias: string } {
    const own = withPrefix(props, `predicates.${alias}.`)
    const key = `predicates.${alias}.type`
    if (own['type'] === undefined)
      throw new ConfigError([{ key, message: `Missing required configuration "${key}" which has no default value.` }])
    const plugin = this.#find('predicate', own['type'], own['plugin.version'])
    return { alias, plugin: pluginRef(plugin), props: own, prefix: `predicates.${alias}.` }
  }

  #find(kind: PluginKind, name: string, range: string | undefined): PluginDescriptor {
    return this.#o.registry.find(kind, name, parseRange(range))
  }
}

/**
 * Returns the task class that Connect would store, so that a Java worker can take over the
 * connector.
 */
function taskClassOf(connectorClass: string): string {
  if (connectorClass.startsWith('io.debezium.')) return `${connectorClass}Task`
  return connectorClass.endsWith('Connector') ? `${connectorClass.slice(0, -9)}Task` : `${connectorClass}Task`
}
