import type { ConfigValues } from '../../common/config/define.ts'
import type { RawConfig } from '../../common/config/parse.ts'
import { consumerConfig, consumerKeys } from '../config/consumer-keys.ts'
import type { ClientSettingsOf } from '../config/option-types.ts'
import { type OptionChecks, rawOf, resolve, settingsOf } from '../config/resolve.ts'
import { type CommonOptions, commonSettings } from '../options.ts'
import type { ConsumerOptions } from '../types.ts'

/** The settings of a consumer, with defaults filled in. */
export interface ConsumerSettings extends Omit<ClientSettingsOf<typeof consumerKeys>, 'isolationLevel'> {
  readonly common: CommonOptions
  readonly readCommitted: boolean
}

type Values = ConfigValues<typeof consumerConfig>

/**
 * Returns the settings of a consumer, with defaults filled in. Throws a ConfigError that names
 * every invalid option.
 */
export function consumerSettings(options: ConsumerOptions): ConsumerSettings {
  const raw = rawOf(consumerConfig, options)
  const values = consumerValues(raw)
  const { isolationLevel, ...settings } = settingsOf(consumerKeys, values)
  return {
    ...settings,
    common: commonSettings(values, 'consumer', options.logger),
    heartbeatIntervalMs: heartbeatInterval(values, raw),
    readCommitted: isolationLevel === 'read_committed',
    // For a broker, both 0 and 1 mean one batch per fetch. The fetcher needs at least 1, because it
    // divides the bytes between brokers.
    fetchMaxBytes: Math.max(1, settings.fetchMaxBytes),
    maxPartitionFetchBytes: Math.max(1, settings.maxPartitionFetchBytes),
  }
}

/**
 * Returns the parsed values of a consumer's configuration. Throws a ConfigError that names every
 * invalid key.
 */
export function consumerValues(raw: RawConfig): Values {
  return resolve(consumerConfig, raw, (values, checks) => checkConsumer(values, raw, checks))
}

/** Checks settings that depend on each other. */
function checkConsumer(values: Values, raw: RawConfig, checks: OptionChecks): void {
  const heartbeat = heartbeatInterval(values, raw)
  if (heartbeat >= values['session.timeout.ms'])
    checks.fail('heartbeat.interval.ms', heartbeat, 'Must be lower than session.timeout.ms')
  if (values['group.id'] === '') checks.fail('group.id', '', 'String must be non-empty')
  if (values['enable.auto.commit'] && values['group.id'] === null)
    checks.fail('enable.auto.commit', true, 'Requires group.id')
}

/**
 * Returns the heartbeat interval. If it is not configured, it is at most a third of the session
 * timeout.
 */
function heartbeatInterval(values: Values, raw: RawConfig): number {
  const interval = values['heartbeat.interval.ms']
  if (raw['heartbeat.interval.ms'] !== undefined && raw['heartbeat.interval.ms'] !== null) return interval
  return Math.min(interval, Math.floor(values['session.timeout.ms'] / 3))
}
