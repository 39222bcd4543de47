import type { ConfigDef } from 'millrace/connect'

/** `refuse`: the configuration asks for something that would not happen. `warn`: it goes on without. */
export interface Unsupported {
  readonly action: 'refuse' | 'warn'
  readonly reason: string
}

const refuse = (reason: string): Unsupported => ({ action: 'refuse', reason })
const warn = (reason: string): Unsupported => ({ action: 'warn', reason })
const SIGNALS = refuse('signals and incremental snapshots are not there yet; remove it')
const NOTIFICATIONS = refuse('notifications are not there yet; remove it')
const LINEAGE = refuse('OpenLineage is not there; remove it')

/** Keys of Debezium whose feature is not built: never ignored in silence. Values equal to the default are fine. */
export const UNSUPPORTED_COMMON: Readonly<Record<string, Unsupported>> = {
  'signal.data.collection': SIGNALS,
  'signal.enabled.channels': SIGNALS,
  'signal.poll.interval.ms': warn('signals are not there yet'),
  'signal.emit.failure.max.retries': warn('signals are not there yet'),
  'signal.emit.failure.backoff.ms': warn('signals are not there yet'),
  'signal.file': SIGNALS,
  'signal.kafka.topic': SIGNALS,
  'signal.kafka.bootstrap.servers': SIGNALS,
  'signal.kafka.groupId': SIGNALS,
  'signal.kafka.poll.timeout.ms': SIGNALS,
  'incremental.snapshot.chunk.size': warn('incremental snapshots are not there yet'),
  'incremental.snapshot.allow.schema.changes': warn('incremental snapshots are not there yet'),
  'incremental.snapshot.watermarking.strategy': warn('incremental snapshots are not there yet'),
  'notification.enabled.channels': NOTIFICATIONS,
  'notification.sink.topic.name': NOTIFICATIONS,
  'notification.http.url': NOTIFICATIONS,
  'notification.http.timeout.ms': warn('notifications are not there yet'),
  'notification.http.retries': warn('notifications are not there yet'),
  'notification.http.allow.private.networks': warn('notifications are not there yet'),
  converters: refuse('custom converters are Java classes; use a transformation instead'),
  'post.processors': refuse('post processors are not there yet; use a transformation instead'),
  'transaction.metadata.factory': refuse('only the default is there'),
  'sourceinfo.struct.maker': refuse("only the connector's own is there"),
  'queue.provider.type': refuse('only the default is there'),
  'memory.management.schemas.class': warn('only the default is there'),
  'memory.management.tables.class': warn('only the default is there'),
  'snapshot.mode.custom.name': refuse('custom snapshot modes are Java classes'),
  'snapshot.query.mode': refuse('only select_all is there; use snapshot.select.statement.overrides'),
  'snapshot.query.mode.custom.name': refuse('use snapshot.select.statement.overrides'),
  'snapshot.locking.mode.custom.name': refuse('custom locking modes are Java classes'),
  'snapshot.mode.configuration.based.snapshot.data': refuse('snapshot.mode=configuration_based is not there yet'),
  'snapshot.mode.configuration.based.snapshot.schema': refuse('snapshot.mode=configuration_based is not there yet'),
  'snapshot.mode.configuration.based.start.stream': refuse('snapshot.mode=configuration_based is not there yet'),
  'snapshot.mode.configuration.based.snapshot.on.schema.error': refuse(
    'snapshot.mode=configuration_based is not there yet',
  ),
  'snapshot.mode.configuration.based.snapshot.on.data.error': refuse(
    'snapshot.mode=configuration_based is not there yet',
  ),
  'snapshot.max.threads': warn('the snapshot reads one table at a time so far'),
  'snapshot.max.threads.multiplier': warn('the snapshot reads one table at a time so far'),
  'legacy.snapshot.max.threads': warn('the snapshot reads one table at a time so far'),
  'event.processing.failure.handling.mode': warn(
    'an event that cannot be processed ends the task; values that cannot be converted have event.converting.failure.handling.mode',
  ),
  'custom.metric.tags': warn('metrics have no such tags yet'),
  'statistics.metrics.enabled': warn('metrics come with the runtime'),
  'openlineage.integration.enabled': LINEAGE,
  'database.include.list': warn('a connector reads the one database of database.dbname'),
  'database.exclude.list': warn('a connector reads the one database of database.dbname'),
}

export interface UnsupportedUse extends Unsupported {
  readonly key: string
}

/** The keys of a table that a configuration sets to other than their default. */
export function unsupportedUses(
  table: Readonly<Record<string, Unsupported>>,
  def: ConfigDef,
  props: Readonly<Record<string, string>>,
): UnsupportedUse[] {
  return Object.entries(table).flatMap(([key, what]) => {
    const given = props[key]?.trim()
    if (given === undefined || given === '') return []
    const fallback = def[key]?.default
    const shown = Array.isArray(fallback) ? fallback.join(',') : String(fallback ?? '')
    return given.toLowerCase() === shown.toLowerCase() ? [] : [{ key, ...what }]
  })
}
