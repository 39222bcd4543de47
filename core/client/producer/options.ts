import { type CommonOptions, commonOptions, OptionChecks } from '../options.ts'
import type { CompressionType, ProducerOptions } from '../types.ts'

/** A producer's options with defaults filled in. */
export interface ProducerSettings {
  readonly common: CommonOptions
  readonly acks: 0 | 1 | -1
  readonly idempotence: boolean
  readonly maxInFlight: number
  readonly batchSize: number
  readonly lingerMs: number
  readonly bufferMemory: number
  readonly maxRequestSize: number
  readonly compressionType: CompressionType
  readonly deliveryTimeoutMs: number
  readonly maxBlockMs: number
  readonly metadataMaxIdleMs: number
  readonly retries: number
}

/** Fills in Kafka's defaults and checks what must go together, as ProducerConfig does. */
export function producerSettings(o: ProducerOptions): ProducerSettings {
  const common = commonOptions(o, 'producer')
  const acks = o.acks ?? -1
  const maxInFlight = o.maxInFlight ?? 5
  const lingerMs = o.lingerMs ?? 5
  const checks = new OptionChecks()
  checks.atLeast('max.in.flight.requests.per.connection', o.maxInFlight, 1)
  checks.atLeast('batch.size', o.batchSize, 0)
  checks.atLeast('linger.ms', o.lingerMs, 0)
  checks.atLeast('buffer.memory', o.bufferMemory, 0)
  checks.atLeast('max.request.size', o.maxRequestSize, 0)
  checks.atLeast('retries', o.retries, 0)
  checks.atLeast('metadata.max.idle.ms', o.metadataMaxIdleMs, 0)
  // As in Java, idempotence that was not asked for gives way to settings that it cannot go with.
  const possible = acks === -1 && maxInFlight <= 5 && o.retries !== 0
  if (o.idempotence === true && acks !== -1)
    checks.complain('acks', acks, 'Must be all where enable.idempotence is true')
  if (o.idempotence === true && maxInFlight > 5)
    checks.complain(
      'max.in.flight.requests.per.connection',
      maxInFlight,
      'Must be at most 5 where enable.idempotence is true',
    )
  if (o.idempotence === true && o.retries === 0)
    checks.complain('retries', 0, 'Must be above 0 where enable.idempotence is true')
  const least = lingerMs + common.requestTimeoutMs
  if (o.deliveryTimeoutMs !== undefined && o.deliveryTimeoutMs < least)
    checks.complain(
      'delivery.timeout.ms',
      o.deliveryTimeoutMs,
      `Must be at least linger.ms + request.timeout.ms, which is ${least}`,
    )
  checks.done()
  return {
    common,
    acks,
    idempotence: o.idempotence ?? possible,
    maxInFlight,
    batchSize: o.batchSize ?? 16_384,
    lingerMs,
    bufferMemory: o.bufferMemory ?? 33_554_432,
    maxRequestSize: o.maxRequestSize ?? 1_048_576,
    compressionType: o.compressionType ?? 'none',
    deliveryTimeoutMs: o.deliveryTimeoutMs ?? Math.max(120_000, least),
    maxBlockMs: o.maxBlockMs ?? 60_000,
    metadataMaxIdleMs: o.metadataMaxIdleMs ?? 300_000,
    retries: o.retries ?? 2_147_483_647,
  }
}
