import type { ConfigValues } from '../../common/config/define.ts'
import type { RawConfig } from '../../common/config/parse.ts'
import type { ClientSettingsOf } from '../config/option-types.ts'
import { producerConfig, producerKeys } from '../config/producer-keys.ts'
import { type OptionChecks, rawOf, resolve, settingsOf } from '../config/resolve.ts'
import { type CommonOptions, commonSettings } from '../options.ts'
import type { ProducerOptions } from '../types.ts'

/** The settings of a producer, with defaults filled in. */
export interface ProducerSettings extends Omit<ClientSettingsOf<typeof producerKeys>, 'acks'> {
  readonly common: CommonOptions
  readonly acks: 0 | 1 | -1
}

type Values = ConfigValues<typeof producerConfig>

const ACKS = { all: -1, '-1': -1, '1': 1, '0': 0 } as const
const IN_FLIGHT = 'max.in.flight.requests.per.connection'
/** The maximum number of requests in flight for which a broker can detect duplicates. */
const MAX_IDEMPOTENT_IN_FLIGHT = 5

/**
 * Returns the settings of a producer, with defaults filled in. Throws a ConfigError that names
 * every invalid option.
 */
export function producerSettings(options: ProducerOptions): ProducerSettings {
  const raw = rawOf(producerConfig, options)
  const values = producerValues(raw)
  return {
    ...settingsOf(producerKeys, values),
    common: commonSettings(values, 'producer', options.logger),
    acks: ACKS[values.acks],
    idempotence: isIdempotent(values, raw),
    deliveryTimeoutMs: deliveryTimeout(values, raw),
  }
}

/**
 * Returns the parsed values of a producer's configuration. Throws a ConfigError that names every
 * invalid key.
 */
export function producerValues(raw: RawConfig): Values {
  return resolve(producerConfig, raw, (values, checks) => checkProducer(values, raw, checks))
}

/** Checks settings that depend on each other, as ProducerConfig does. */
function checkProducer(values: Values, raw: RawConfig, checks: OptionChecks): void {
  if (isGiven(raw, 'enable.idempotence') && values['enable.idempotence']) {
    const inFlight = values[IN_FLIGHT]
    if (ACKS[values.acks] !== -1) checks.fail('acks', values.acks, 'Must be all if enable.idempotence is true')
    if (inFlight > MAX_IDEMPOTENT_IN_FLIGHT)
      checks.fail(IN_FLIGHT, inFlight, `Must be at most ${MAX_IDEMPOTENT_IN_FLIGHT} if enable.idempotence is true`)
    if (values.retries === 0) checks.fail('retries', 0, 'Must be above 0 if enable.idempotence is true')
  }
  const least = shortestDelivery(values)
  const timeout = values['delivery.timeout.ms']
  if (isGiven(raw, 'delivery.timeout.ms') && timeout < least) {
    const reason = `Must be at least linger.ms + request.timeout.ms, which is ${least}`
    checks.fail('delivery.timeout.ms', timeout, reason)
  }
}

/**
 * Returns whether the producer is idempotent. As in Java, idempotence is off if it was not
 * configured and the other settings do not allow it.
 */
function isIdempotent(values: Values, raw: RawConfig): boolean {
  if (isGiven(raw, 'enable.idempotence')) return values['enable.idempotence']
  return ACKS[values.acks] === -1 && values[IN_FLIGHT] <= MAX_IDEMPOTENT_IN_FLIGHT && values.retries > 0
}

/**
 * Returns `delivery.timeout.ms`. As in Java, the default is raised to `linger.ms` plus
 * `request.timeout.ms` if this sum is larger.
 */
function deliveryTimeout(values: Values, raw: RawConfig): number {
  const timeout = values['delivery.timeout.ms']
  return isGiven(raw, 'delivery.timeout.ms') ? timeout : Math.max(timeout, shortestDelivery(values))
}

const shortestDelivery = (values: Values) => values['linger.ms'] + values['request.timeout.ms']
const isGiven = (raw: RawConfig, name: keyof Values) => raw[name] !== undefined && raw[name] !== null
