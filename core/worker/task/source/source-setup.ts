import type { Producer } from '../../../client/types.ts'
import type { SourceTask } from '../../../connect/source-task.ts'
import { checkArgument } from '../arguments.ts'
import { parseErrorConfig } from '../failures/error-config.ts'
import { ErrorPolicy, LogReporter } from '../failures/error-policy.ts'
import { checkedOffsetReader } from '../host/checked-offset-reader.ts'
import { HerderOffsetStore } from '../host/herder-offset-store.ts'
import { type Runner, startTask, type TaskParts } from '../host/runner.ts'
import { describeSource, type SourcePlace, SourceRecordConverter } from './source-converter.ts'
import { lagReader } from './source-lag.ts'
import { SourceTaskRunner } from './source-task-runner.ts'
import { type TopicCreationRules, TopicCreator, topicCreationRules } from './topic-creation.ts'

/**
 * The time limit for outstanding acknowledgements when a task stops, ms. Records that are not
 * acknowledged after this time are read again after the next start.
 */
const DRAIN_TIMEOUT_MS = 3000

/**
 * Creates the clients of a source task, starts the task, and returns its runner. If `start` fails,
 * releases all resources and throws the error of `start`.
 */
export async function createSourceRunner(task: SourceTask, parts: TaskParts): Promise<Runner> {
  const { spec, logger, metrics, abort, clients } = parts
  const errorConfig = parseErrorConfig(spec.connectorProps)
  const offsets = new HerderOffsetStore(spec.connector, parts.unit, parts.uplink)
  task.context = {
    configs: spec.taskProps,
    version: spec.plugin.version,
    offsets: checkedOffsetReader(offsets),
    logger,
    signal: abort.signal,
    connector: spec.connector,
    taskId: spec.taskId,
    pluginMetrics: () => metrics.plugin,
    waits: (message, retryAt: number | null = null) => {
      checkArgument(message === null || typeof message === 'string', 'waits', message, 'a string or null')
      checkArgument(retryAt === null || Number.isFinite(retryAt), 'waits', retryAt, 'a time in milliseconds since 1970')
      parts.onDegraded(message, retryAt)
    },
  }
  // These are Connect's defaults, except batch.size, linger.ms and buffer.memory. With them, all
  // replicas acknowledge, records do not time out, and their order is kept.
  const producerProps = {
    acks: 'all',
    'enable.idempotence': 'true',
    'batch.size': '131072',
    'linger.ms': '5',
    // A quarter of Kafka's default. A task is usually faster than the broker and would fill the
    // whole buffer. If max.request.size is set, records may be large, so Kafka's default applies.
    ...('max.request.size' in spec.producer ? {} : { 'buffer.memory': '8388608' }),
    'delivery.timeout.ms': '2147483647',
    'max.block.ms': '2147483647',
    'client.id': `connector-producer-${spec.connector}-${spec.taskId}`,
    ...spec.producer,
  }
  const rules = spec.topicCreationEnabled ? topicCreationRules(spec.connectorProps) : null
  const producer = await clients.producer(producerProps, logger)
  const topics = rules && (await createTopicCreator(rules, parts, producer))
  const close = async () => {
    const closing = [producer.close({ timeoutMs: 0 }), topics?.close(), offsets.close()]
    for (const result of await Promise.allSettled(closing.filter(promise => promise !== undefined))) {
      if (result.status === 'rejected') logger.debug(`closing a client failed: ${result.reason}`)
    }
  }
  // The task is started after its clients have been created. If the client settings are invalid,
  // `start` of the task is therefore not called.
  await startTask(task, parts, close)
  const reporters = errorConfig['errors.log.enable'] ? [new LogReporter<SourcePlace>(logger, describeSource)] : []
  const runner = new SourceTaskRunner({
    task,
    converter: new SourceRecordConverter(parts.chain, parts.converters, metrics.stages),
    policy: new ErrorPolicy({
      config: errorConfig,
      reporters,
      metrics,
      signal: abort.signal,
      logger,
      describe: describeSource,
    }),
    producer,
    offsets,
    topics,
    metrics,
    logger,
    abort,
    offsetFlushIntervalMs: spec.offsetFlushIntervalMs,
    drainTimeoutMs: DRAIN_TIMEOUT_MS,
    onTopic: topic => parts.onTopic(topic),
    onDegraded: (message, retryAt) => parts.onDegraded(message, retryAt),
  })
  const readLag = lagReader(task, logger)
  metrics.extras = () => ({
    lag: readLag(),
    activeSince: runner.activeSince,
    clients: [{ kind: 'producer', clientId: producerProps['client.id'], ...producer.traffic() }],
  })
  return { pause: () => runner.pause(), resume: () => runner.resume(), run: () => runner.run(), close }
}

/** Returns a topic creator. Closes the producer if the settings of the admin client are invalid. */
async function createTopicCreator(
  rules: TopicCreationRules,
  { spec, clients, logger }: TaskParts,
  producer: Producer,
): Promise<TopicCreator> {
  try {
    return new TopicCreator(await clients.admin(spec.admin, logger), rules, logger)
  } catch (error) {
    await producer.close({ timeoutMs: 0 })
    throw error
  }
}
