import { type CommonOptions, commonOptions, OptionChecks } from '../options.ts'
import type { AssignorName, ConsumerOptions } from '../types.ts'

/** A consumer's options with defaults filled in. */
export interface ConsumerSettings {
  readonly common: CommonOptions
  readonly groupId: string | null
  readonly groupInstanceId: string | null
  readonly assignors: readonly AssignorName[]
  readonly autoOffsetReset: 'earliest' | 'latest' | 'none'
  readonly autoCommit: boolean
  readonly autoCommitIntervalMs: number
  readonly sessionTimeoutMs: number
  readonly heartbeatIntervalMs: number
  readonly maxPollIntervalMs: number
  readonly maxPollRecords: number
  readonly fetchMinBytes: number
  readonly fetchMaxBytes: number
  readonly fetchMaxWaitMs: number
  readonly maxPartitionFetchBytes: number
  readonly readCommitted: boolean
  readonly checkCrcs: boolean
  readonly clientRack: string
  readonly allowAutoCreateTopics: boolean
  /** `default.api.timeout.ms`. */
  readonly apiTimeoutMs: number
}

/** Fills in Kafka's defaults and checks what must go together. */
export function consumerSettings(o: ConsumerOptions): ConsumerSettings {
  const common = commonOptions(o, 'consumer')
  const sessionTimeoutMs = o.sessionTimeoutMs ?? 45_000
  const heartbeatIntervalMs = o.heartbeatIntervalMs ?? Math.min(3_000, Math.floor(sessionTimeoutMs / 3))
  const checks = new OptionChecks()
  if (o.groupId === '') checks.complain('group.id', '', 'String must be non-empty')
  if (o.groupInstanceId === '') checks.complain('group.instance.id', '', 'String must be non-empty')
  if (heartbeatIntervalMs >= sessionTimeoutMs)
    checks.complain('heartbeat.interval.ms', heartbeatIntervalMs, 'Must be lower than session.timeout.ms')
  if (o.assignors?.length === 0) checks.complain('partition.assignment.strategy', '', 'List must not be empty')
  if (o.autoCommit === true && o.groupId === undefined) checks.complain('enable.auto.commit', true, 'Needs group.id')
  checks.atLeast('max.poll.records', o.maxPollRecords, 1)
  checks.atLeast('max.poll.interval.ms', o.maxPollIntervalMs, 1)
  checks.atLeast('fetch.min.bytes', o.fetchMinBytes, 0)
  checks.atLeast('fetch.max.bytes', o.fetchMaxBytes, 1)
  checks.atLeast('fetch.max.wait.ms', o.fetchMaxWaitMs, 0)
  checks.atLeast('max.partition.fetch.bytes', o.maxPartitionFetchBytes, 1)
  checks.atLeast('auto.commit.interval.ms', o.autoCommitIntervalMs, 0)
  checks.done()
  return {
    common,
    groupId: o.groupId ?? null,
    groupInstanceId: o.groupInstanceId ?? null,
    assignors: o.assignors ?? ['range', 'cooperative-sticky'],
    autoOffsetReset: o.autoOffsetReset ?? 'latest',
    autoCommit: o.autoCommit ?? false,
    autoCommitIntervalMs: o.autoCommitIntervalMs ?? 5_000,
    sessionTimeoutMs,
    heartbeatIntervalMs,
    maxPollIntervalMs: o.maxPollIntervalMs ?? 300_000,
    maxPollRecords: o.maxPollRecords ?? 500,
    fetchMinBytes: o.fetchMinBytes ?? 1,
    fetchMaxBytes: o.fetchMaxBytes ?? 52_428_800,
    fetchMaxWaitMs: o.fetchMaxWaitMs ?? 500,
    maxPartitionFetchBytes: o.maxPartitionFetchBytes ?? 1_048_576,
    readCommitted: o.isolationLevel === 'read_committed',
    checkCrcs: o.checkCrcs ?? true,
    clientRack: o.clientRack ?? '',
    allowAutoCreateTopics: o.allowAutoCreateTopics ?? true,
    apiTimeoutMs: 60_000,
  }
}
