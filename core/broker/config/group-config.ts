import { defineConfig, type Validator } from '../../common/config/define.ts'
import { key } from '../../common/config/key.ts'
import { oneOf } from '../../common/config/validators.ts'

const offsetReset: Validator = {
  describe: "'earliest', 'latest' or 'by_duration:<PnDTnHnMn.nS>'",
  check(value) {
    const text = String(value)
    if (/^(earliest|latest|by_duration:P(\d+D)?(T(\d+H)?(\d+M)?(\d+(\.\d+)?S)?)?)$/i.test(text)) return null
    return (
      `Invalid value \`${text}\` for configuration share.auto.offset.reset. The value must be either 'earliest', ` +
      "'latest' or of the format 'by_duration:<PnDTnHnMn.nS>'."
    )
  },
}

const NO_CONSUMER_GROUPS = 'The group protocol of KIP-848 is not supported yet.'
const NO_SHARE_GROUPS = 'Share groups are not supported yet.'
const NO_STREAMS_GROUPS = 'Streams groups are not supported yet.'

/**
 * Declares a key for a time in milliseconds. The key has no effect, because its group protocol is
 * not supported yet.
 */
const time = <const D extends number>(value: D, min: number, noEffect: string, documentation: string) =>
  key.int({ default: value, min, importance: 'MEDIUM', noEffect, documentation: `${documentation}, in milliseconds.` })

/**
 * All configuration keys of a group. Names, types, defaults and limits are those of Kafka 4.3's
 * GroupConfig.
 */
export const GROUP_CONFIG = defineConfig({
  'consumer.session.timeout.ms': time(
    45_000,
    1,
    NO_CONSUMER_GROUPS,
    'The time without heartbeats after which the coordinator removes a member',
  ),
  'consumer.heartbeat.interval.ms': time(5000, 1, NO_CONSUMER_GROUPS, 'The interval between heartbeats of a member'),
  'consumer.assignment.interval.ms': time(1000, 0, NO_CONSUMER_GROUPS, 'The shortest time between two assignments'),
  'share.session.timeout.ms': time(
    45_000,
    1,
    NO_SHARE_GROUPS,
    'The time without heartbeats after which the coordinator removes a member of a share group',
  ),
  'share.heartbeat.interval.ms': time(
    5000,
    1,
    NO_SHARE_GROUPS,
    'The interval between heartbeats of a member of a share group',
  ),
  'share.assignment.interval.ms': time(
    1000,
    0,
    NO_SHARE_GROUPS,
    'The shortest time between two assignments of a share group',
  ),
  'share.record.lock.duration.ms': time(
    30_000,
    1000,
    NO_SHARE_GROUPS,
    'How long a record is locked for the member that received it',
  ),
  'share.delivery.count.limit': key.int({
    default: 5,
    min: 2,
    importance: 'MEDIUM',
    noEffect: NO_SHARE_GROUPS,
    documentation: 'The maximum number of times that a record is delivered.',
  }),
  'share.partition.max.record.locks': key.int({
    default: 2000,
    min: 100,
    importance: 'MEDIUM',
    noEffect: NO_SHARE_GROUPS,
    documentation: 'The maximum number of locked records per partition.',
  }),
  'share.auto.offset.reset': key.string({
    default: 'latest',
    validator: offsetReset,
    importance: 'MEDIUM',
    noEffect: NO_SHARE_GROUPS,
    documentation: 'Where a new share group starts to read.',
  }),
  'share.isolation.level': key.string({
    default: 'read_uncommitted',
    validator: oneOf(['read_committed', 'read_uncommitted']),
    importance: 'MEDIUM',
    noEffect: NO_SHARE_GROUPS,
    documentation: 'Whether a share group receives records of open and aborted transactions.',
  }),
  'share.renew.acknowledge.enable': key.boolean({
    default: true,
    importance: 'MEDIUM',
    noEffect: NO_SHARE_GROUPS,
    documentation: 'Whether a member can extend the lock of a record.',
  }),
  'streams.session.timeout.ms': time(
    45_000,
    1,
    NO_STREAMS_GROUPS,
    'The time without heartbeats after which the coordinator removes a member of a streams group',
  ),
  'streams.heartbeat.interval.ms': time(
    5000,
    1,
    NO_STREAMS_GROUPS,
    'The interval between heartbeats of a member of a streams group',
  ),
  'streams.assignment.interval.ms': time(
    1000,
    0,
    NO_STREAMS_GROUPS,
    'The shortest time between two assignments of a streams group',
  ),
  'streams.initial.rebalance.delay.ms': time(
    3000,
    0,
    NO_STREAMS_GROUPS,
    'How long a new streams group waits for more members',
  ),
  'streams.num.standby.replicas': key.int({
    default: 0,
    min: 0,
    importance: 'MEDIUM',
    noEffect: NO_STREAMS_GROUPS,
    documentation: 'The number of standby replicas of each task.',
  }),
})

interface Bound {
  readonly min: number
  readonly max: number
}

const ofEachKind = (kind: string): Readonly<Record<string, Bound>> => ({
  [`${kind}.session.timeout.ms`]: { min: 45_000, max: 60_000 },
  [`${kind}.heartbeat.interval.ms`]: { min: 5000, max: 15_000 },
  [`${kind}.assignment.interval.ms`]: { min: 0, max: 15_000 },
})

/**
 * The limits of group keys. They are the defaults of Kafka's broker keys `group.*.min.*` and
 * `group.*.max.*`. Millrace does not have these broker keys yet.
 */
const BOUNDS: Readonly<Record<string, Bound>> = {
  ...ofEachKind('consumer'),
  ...ofEachKind('share'),
  ...ofEachKind('streams'),
  'share.record.lock.duration.ms': { min: 15_000, max: 60_000 },
  'share.delivery.count.limit': { min: 2, max: 10 },
  'share.partition.max.record.locks': { min: 100, max: 4000 },
  'streams.num.standby.replicas': { min: 0, max: 2 },
}

/**
 * Returns the broker key that limits a group key, such as `group.share.max.delivery.count.limit`
 * for `share.delivery.count.limit`.
 */
function boundKey(name: string, which: 'min' | 'max'): string {
  if (name === 'streams.num.standby.replicas') return `group.streams.${which}.standby.replicas`
  const [kind, ...rest] = name.split('.')
  return `group.${kind}.${which}.${rest.join('.')}`
}

/** Returns an error message if a value of a group key is outside the broker's limits, or null. */
export function groupBoundProblem(name: string, value: unknown): string | null {
  const bound = BOUNDS[name]
  if (!bound || typeof value !== 'number') return null
  if (value < bound.min) return `${name} must be greater than or equal to ${boundKey(name, 'min')}`
  return value > bound.max ? `${name} must be less than or equal to ${boundKey(name, 'max')}` : null
}

/** Returns the broker key whose value is the default of a group key. */
export function groupSynonym(name: string): string {
  const own = ['share.auto.offset.reset', 'share.isolation.level', 'share.renew.acknowledge.enable']
  return own.includes(name) ? name : `group.${name}`
}
