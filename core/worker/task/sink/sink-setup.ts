import { toClientOptions } from '../../../client/properties.ts'
import type { ConsumerRecord, GroupMetadata } from '../../../client/types.ts'
import { ConfigError, listItems } from '../../../common/config/parse.ts'
import { messageOf } from '../../../common/errors/error-table.ts'
import { JavaPattern } from '../../../common/regex/java-pattern.ts'
import type { Props } from '../../../connect/props.ts'
import type { SinkTask } from '../../../connect/sink-task.ts'
import { DeadLetterQueue, ensureDeadLetterTopic } from '../failures/dead-letter-queue.ts'
import { ErrantRecords } from '../failures/errant-records.ts'
import { type ErrorConfig, parseErrorConfig } from '../failures/error-config.ts'
import { ErrorPolicy, type ErrorReporter, LogReporter } from '../failures/error-policy.ts'
import { type Runner, startTask, type TaskParts } from '../host/runner.ts'
import { GroupWait } from './group-wait.ts'
import { SinkContext } from './sink-context.ts'
import { describeConsumed, SinkRecordConverter } from './sink-converter.ts'
import { SinkTaskRunner } from './sink-task-runner.ts'

/** Kafka's default for `session.timeout.ms`. */
const DEFAULT_SESSION_TIMEOUT_MS = 45_000

/**
 * Returns the list of `topics`, or the pattern of `topics.regex`. Throws a ConfigError unless
 * exactly one of these keys is set.
 */
function sinkTopics(props: Props): readonly string[] | RegExp {
  const list = listItems(props['topics'])
  const pattern = props['topics.regex']?.trim() ?? ''
  if (list.length > 0 === (pattern !== '')) {
    throw new ConfigError([{ key: 'topics', message: 'Must configure one of topics or topics.regex' }])
  }
  return list.length > 0 ? list : JavaPattern.compile(pattern).whole
}

async function createQueue(config: ErrorConfig, parts: TaskParts): Promise<DeadLetterQueue | null> {
  if (config['errors.deadletterqueue.topic.name'] === '') return null
  const { spec, clients, logger, metrics } = parts
  const admin = await clients.admin(spec.admin, logger)
  try {
    const given = spec.connectorProps['errors.deadletterqueue.topic.replication.factor'] !== undefined
    await ensureDeadLetterTopic(admin, config, given)
  } finally {
    await admin.close()
  }
  const id = `connector-dlq-producer-${spec.connector}-${spec.taskId}`
  // The dead letter queue's producer needs its own client id, unless the user has set a client id.
  const chosen = spec.producer['client.id'] !== `connector-producer-${spec.connector}-${spec.taskId}`
  const props = { acks: 'all', 'enable.idempotence': 'true', ...spec.producer, ...(chosen ? {} : { 'client.id': id }) }
  const producer = await clients.producer(props, logger)
  return new DeadLetterQueue(producer, config, metrics, { connector: spec.connector, taskId: spec.taskId, logger })
}

/**
 * Creates the clients of a sink task, starts the task, and returns its runner. If `start` fails,
 * releases all resources and throws the error of `start`.
 */
export async function createSinkRunner(task: SinkTask, parts: TaskParts): Promise<Runner> {
  const { spec, logger, metrics, abort, clients } = parts
  const config = parseErrorConfig(spec.connectorProps)
  const topics = sinkTopics(spec.connectorProps)
  const consumerProps = {
    'group.id': `connect-${spec.connector}`,
    'client.id': `connector-consumer-${spec.connector}-${spec.taskId}`,
    'auto.offset.reset': 'earliest',
    ...spec.consumer,
    'enable.auto.commit': 'false',
  }
  const consumer = await clients.consumer(consumerProps, logger)
  const queue = await createQueue(config, parts).catch(async (error: unknown) => {
    await consumer.close()
    throw error
  })
  const reporters: ErrorReporter<ConsumerRecord>[] = []
  if (config['errors.log.enable']) reporters.push(new LogReporter(logger, r => describeLogged(r, config)))
  if (queue) reporters.push(queue)
  const policy = new ErrorPolicy({
    config,
    reporters,
    metrics,
    signal: abort.signal,
    logger,
    describe: describeConsumed,
  })
  const errant = queue || policy.tolerant ? new ErrantRecords(policy, queue, parts.converters) : null
  const context = new SinkContext(consumer, {
    configs: spec.taskProps,
    version: spec.plugin.version,
    logger,
    signal: abort.signal,
    connector: spec.connector,
    taskId: spec.taskId,
    errantRecordReporter: errant,
    metrics: metrics.plugin,
  })
  const onMember = (member: GroupMetadata | null) => {
    parts.uplink.event({ type: 'member', unit: parts.unit, member })
  }
  const close = async () => {
    for (const result of await Promise.allSettled([consumer.close(), queue?.close()])) {
      if (result.status === 'rejected') logger.debug(`closing a client failed: ${messageOf(result.reason)}`)
    }
    onMember(null)
  }
  task.context = context
  await startTask(task, parts, close)
  const runner = new SinkTaskRunner({
    task,
    topics,
    consumer,
    context,
    converter: new SinkRecordConverter(parts.chain, parts.converters, metrics.stages),
    policy,
    queue,
    errant,
    metrics,
    logger,
    abort,
    offsetFlushIntervalMs: spec.offsetFlushIntervalMs,
    onTopic: topic => parts.onTopic(topic),
    groupWait: createGroupWait(parts, consumerProps),
    onMember,
    onDegraded: (message, retryAt) => parts.onDegraded(message, retryAt),
  })
  metrics.extras = () => ({
    lag: runner.lag(),
    clients: [{ kind: 'consumer', clientId: consumerProps['client.id'], ...consumer.traffic() }],
  })
  return { pause: () => runner.pause(), resume: () => runner.resume(), run: () => runner.run(), close }
}

function createGroupWait({ spec, clients, logger }: TaskParts, consumerProps: Props): GroupWait {
  const groupId = consumerProps['group.id'] ?? ''
  const describe = async () => {
    const admin = await clients.admin(spec.admin, logger)
    try {
      const [group] = await admin.describeGroups([groupId])
      return group!
    } finally {
      await admin.close()
    }
  }
  const sessionTimeoutMs = toClientOptions('consumer', consumerProps).sessionTimeoutMs ?? DEFAULT_SESSION_TIMEOUT_MS
  return new GroupWait({ sessionTimeoutMs, describe, logger })
}

function describeLogged(raw: ConsumerRecord, config: ErrorConfig): string {
  const place = `{topic='${raw.topic}', partition=${raw.partition}, offset=${raw.offset}, timestamp=${raw.timestamp}}`
  if (!config['errors.log.include.messages']) return place
  const text = (bytes: Buffer | null) => (bytes === null ? 'null' : bytes.toString('utf8').slice(0, 10_000))
  return `${place.slice(0, -1)}, key=${text(raw.key)}, value=${text(raw.value)}}`
}
