import { defineConfig, type Validator } from '../../common/config/define.ts'
import { range } from '../../common/config/validators.ts'
import { bool, int, oneOf, str, unused } from './keys.ts'

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

const timeout = (defaultValue: number, what: string) => unused(int(defaultValue, 'MEDIUM', what, range(1)))
const interval = (defaultValue: number, what: string) => unused(int(defaultValue, 'MEDIUM', what, range(0)))

/**
 * Every key that a group can carry. Names, types, defaults and limits are those of Kafka 4.3's
 * GroupConfig.
 */
export const GROUP_CONFIG = defineConfig({
  'consumer.session.timeout.ms': timeout(45_000, 'How long a member may be silent.'),
  'consumer.heartbeat.interval.ms': timeout(5000, 'How often members send heartbeats.'),
  'consumer.assignment.interval.ms': interval(1000, 'The time between two assignments.'),
  'share.session.timeout.ms': timeout(45_000, 'How long a member of a share group may be silent.'),
  'share.heartbeat.interval.ms': timeout(5000, 'How often members of a share group send heartbeats.'),
  'share.assignment.interval.ms': interval(1000, 'The time between two assignments of a share group.'),
  'share.record.lock.duration.ms': unused(
    int(30_000, 'MEDIUM', 'How long a record is locked for a member.', range(1000)),
  ),
  'share.delivery.count.limit': unused(
    int(5, 'MEDIUM', 'The maximum number of delivery attempts for a record.', range(2)),
  ),
  'share.partition.max.record.locks': unused(
    int(2000, 'MEDIUM', 'The maximum number of locked records per partition.', range(100)),
  ),
  'share.auto.offset.reset': unused(str('latest', 'MEDIUM', 'Where a new share group starts to read.', offsetReset)),
  'share.isolation.level': unused(
    str(
      'read_uncommitted',
      'MEDIUM',
      'Which records a share group reads.',
      oneOf('read_committed', 'read_uncommitted'),
    ),
  ),
  'share.renew.acknowledge.enable': unused(bool(true, 'MEDIUM', 'Whether a lock can be renewed.')),
  'streams.session.timeout.ms': timeout(45_000, 'How long a member of a streams group may be silent.'),
  'streams.heartbeat.interval.ms': timeout(5000, 'How often members of a streams group send heartbeats.'),
  'streams.assignment.interval.ms': interval(1000, 'The time between two assignments of a streams group.'),
  'streams.initial.rebalance.delay.ms': interval(3000, 'How long a new streams group waits for more members.'),
  'streams.num.standby.replicas': interval(0, 'How many standby replicas each task has.'),
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
 * The default limits of the broker's `group.*.min.*` and `group.*.max.*`. These groups are not
 * supported yet.
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

/** `group.share.max.delivery.count.limit` for `share.delivery.count.limit`. */
function boundKey(name: string, which: 'min' | 'max'): string {
  if (name === 'streams.num.standby.replicas') return `group.streams.${which}.standby.replicas`
  const [kind, ...rest] = name.split('.')
  return `group.${kind}.${which}.${rest.join('.')}`
}

/** Why the broker's limits do not allow a value of a group config; null if they do. */
export function groupBoundProblem(name: string, value: unknown): string | null {
  const bound = BOUNDS[name]
  if (!bound || typeof value !== 'number') return null
  if (value < bound.min) return `${name} must be greater than or equal to ${boundKey(name, 'min')}`
  return value > bound.max ? `${name} must be less than or equal to ${boundKey(name, 'max')}` : null
}

/** The broker's key behind a group's. */
export function groupSynonym(name: string): string {
  const own = ['share.auto.offset.reset', 'share.isolation.level', 'share.renew.acknowledge.enable']
  return own.includes(name) ? name : `group.${name}`
}
