import type { ConsumerRecord } from '../../../client/types.ts'
import type { SchemaAndValue } from '../../../connect/plugins.ts'
import type { Header, SinkRecord, TimestampType } from '../../../connect/record.ts'
import { dataOf } from '../converted.ts'
import { StageError } from '../failures/error-policy.ts'
import type { StageClock } from '../metrics/stage-clock.ts'
import type { Converters } from '../source/source-converter.ts'
import type { TransformChain } from '../transform-chain.ts'

const TIMESTAMP_TYPES: Readonly<Record<ConsumerRecord['timestampType'], TimestampType>> = {
  [-1]: 'NoTimestampType',
  0: 'CreateTime',
  1: 'LogAppendTime',
}
const NO_HEADERS: readonly Header[] = []

/**
 * Deserializes consumed records with the converters, and then applies the transformations.
 * `convert` may be called again for the same record after an error.
 */
export class SinkRecordConverter {
  readonly #chain: TransformChain
  readonly #converters: Converters
  readonly #stages: StageClock

  constructor(chain: TransformChain, converters: Converters, stages: StageClock) {
    this.#chain = chain
    this.#converters = converters
    this.#stages = stages
  }

  /**
   * Returns the record for the sink; null if a transformation drops the record. Throws a
   * StageError.
   */
  convert(raw: ConsumerRecord): SinkRecord | null {
    if (this.#chain.empty) return this.#recordOf(raw)
    if (!this.#stages.shouldTime) return this.#chain.apply(this.#recordOf(raw))
    const startedAt = performance.now()
    const record = this.#recordOf(raw)
    const convertedAt = performance.now()
    const transformed = this.#chain.apply(record)
    this.#stages.timed(performance.now() - convertedAt, convertedAt - startedAt)
    return transformed
  }

  #recordOf(raw: ConsumerRecord): SinkRecord {
    const key = this.#side('KEY_CONVERTER', raw)
    const value = this.#side('VALUE_CONVERTER', raw)
    return {
      topic: raw.topic,
      partition: raw.partition,
      offset: raw.offset,
      keySchema: key.schema,
      key: key.value,
      valueSchema: value.schema,
      value: value.value,
      timestamp: raw.timestampType === -1 ? null : raw.timestamp,
      timestampType: TIMESTAMP_TYPES[raw.timestampType],
      headers: raw.headers.length === 0 ? NO_HEADERS : this.#headers(raw),
      originalTopic: raw.topic,
      originalPartition: raw.partition,
      originalOffset: raw.offset,
    }
  }

  #side(stage: 'KEY_CONVERTER' | 'VALUE_CONVERTER', raw: ConsumerRecord): SchemaAndValue {
    const isKey = stage === 'KEY_CONVERTER'
    const { className, plugin } = isKey ? this.#converters.key : this.#converters.value
    try {
      const data = plugin.toConnectData(raw.topic, isKey ? raw.key : raw.value, raw.headers)
      return dataOf(data, 'toConnectData', plugin)
    } catch (error) {
      throw new StageError(stage, className, error)
    }
  }

  #headers(raw: ConsumerRecord): Header[] {
    const { className, plugin } = this.#converters.header
    try {
      return raw.headers.map(h => ({
        key: h.key,
        ...dataOf(plugin.toConnectHeader(raw.topic, h.key, h.value), 'toConnectHeader', plugin),
      }))
    } catch (error) {
      throw new StageError('HEADER_CONVERTER', className, error)
    }
  }
}

/** Describes a consumed record for messages, for example `the record orders-0@17`. */
export function describeConsumed(raw: ConsumerRecord): string {
  return `the record ${raw.topic}-${raw.partition}@${raw.offset}`
}
