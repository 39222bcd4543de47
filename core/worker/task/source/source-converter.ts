import type { ProducerRecord, RecordHeader } from '../../../client/types.ts'
import { DataError } from '../../../connect/errors.ts'
import type { Converter, HeaderConverter } from '../../../connect/plugins.ts'
import type { CompleteSourceRecord, Header } from '../../../connect/record.ts'
import type { Schema } from '../../../connect/schema.ts'
import { valueFault } from '../../../connect/value-fault.ts'
import { bytesOf } from '../converted.ts'
import { errors } from '../errors.ts'
import { StageError } from '../failures/error-policy.ts'
import type { StageClock } from '../metrics/stage-clock.ts'
import type { TransformChain } from '../transform-chain.ts'
import { headersFault, placeFault, schemaFault } from './record-fault.ts'

/** A converter, with the class name that error messages show. */
export interface Named<T> {
  readonly className: string
  readonly plugin: T
}

export interface Converters {
  readonly key: Named<Converter>
  readonly value: Named<Converter>
  readonly header: Named<HeaderConverter>
}

const NO_HEADERS: readonly RecordHeader[] = []

/**
 * Applies the transformations to source records, and then serializes the records with the
 * converters. `convert` may be called again for the same record after an error.
 */
export class SourceRecordConverter {
  readonly #chain: TransformChain
  readonly #converters: Converters
  /**
   * Null without transformations. No record needs to be timed then, because all time is conversion.
   */
  readonly #stages: StageClock | null
  /**
   * The headers of the previous record. Many tasks use the same frozen list of headers for all
   * records, which is then serialized only once.
   */
  #lastHeaders: readonly Header[] | null = null
  #lastBytes: readonly RecordHeader[] = NO_HEADERS
  #lastTopic = ''

  constructor(chain: TransformChain, converters: Converters, stages: StageClock) {
    this.#chain = chain
    this.#converters = converters
    this.#stages = chain.empty ? null : stages
  }

  /**
   * Returns the record for the producer; null if a transformation drops the record. Throws a
   * StageError.
   */
  convert(source: CompleteSourceRecord): ProducerRecord | null {
    if (this.#stages?.shouldTime) return this.#convertTimed(source, this.#stages)
    const record = this.#chain.apply(source)
    return record === null ? null : this.#bytesOf(record, source)
  }

  #convertTimed(source: CompleteSourceRecord, stages: StageClock): ProducerRecord | null {
    const startedAt = performance.now()
    const record = this.#chain.apply(source)
    const transformedAt = performance.now()
    const bytes = record === null ? null : this.#bytesOf(record, source)
    stages.timed(transformedAt - startedAt, performance.now() - transformedAt)
    return bytes
  }

  #bytesOf(record: CompleteSourceRecord, source: CompleteSourceRecord): ProducerRecord {
    const { topic, headers } = record
    // Without this check, the task would wait forever for a topic whose name is invalid.
    if (typeof topic !== 'string' || topic === '')
      throw errors.create('MR_TASK_NO_TOPIC', { record: describeSource(source), topic: String(topic) })
    const fault = placeFault(record.partition, record.timestamp)
    if (fault !== null) throw errors.create('MR_TASK_RECORD', { record: describeSource(source), fault })
    return {
      topic,
      partition: record.partition,
      key: this.#key(topic, record.keySchema, record.key, headers),
      value: this.#value(topic, record.valueSchema, record.value, headers),
      timestamp: record.timestamp,
      headers: headers.length === 0 ? NO_HEADERS : this.#headers(topic, headers),
    }
  }

  #key(topic: string, schema: Schema | null, key: unknown, headers: readonly Header[]): Buffer | null {
    const { className, plugin } = this.#converters.key
    try {
      return bytesOf(plugin.fromConnectData(topic, schema, key, headers), 'fromConnectData', plugin)
    } catch (error) {
      const fault = schemaFault(schema, 'keySchema') ?? valueFault(schema, key, 'the key')
      throw new StageError('KEY_CONVERTER', className, explained(error, fault))
    }
  }

  #value(topic: string, schema: Schema | null, value: unknown, headers: readonly Header[]): Buffer | string | null {
    const { className, plugin } = this.#converters.value
    try {
      if (!plugin.fromConnectText)
        return bytesOf(plugin.fromConnectData(topic, schema, value, headers), 'fromConnectData', plugin)
      const text = plugin.fromConnectText(topic, schema, value, headers)
      return typeof text === 'string' ? text : bytesOf(text, 'fromConnectText', plugin)
    } catch (error) {
      const fault = schemaFault(schema, 'valueSchema') ?? valueFault(schema, value, 'the value')
      throw new StageError('VALUE_CONVERTER', className, explained(error, fault))
    }
  }

  #headers(topic: string, headers: readonly Header[]): readonly RecordHeader[] {
    if (headers === this.#lastHeaders && topic === this.#lastTopic) return this.#lastBytes
    const { className, plugin } = this.#converters.header
    try {
      const bytes = headers.map(h => ({
        key: h.key,
        value: bytesOf(plugin.fromConnectHeader(topic, h.key, h.schema, h.value), 'fromConnectHeader', plugin),
      }))
      if (Object.isFrozen(headers)) {
        this.#lastHeaders = headers
        this.#lastBytes = bytes
        this.#lastTopic = topic
      }
      return bytes
    } catch (error) {
      throw new StageError('HEADER_CONVERTER', className, explained(error, headersFault(headers)))
    }
  }
}

/**
 * Returns the error to report after a converter failed. If the schema or a header has a fault, that
 * is the cause, so a DataError with the fault is returned. Otherwise the converter's own error is
 * returned.
 */
function explained(error: unknown, fault: string | null): unknown {
  return fault === null ? error : new DataError(fault, { cause: error })
}

/** The fields that identify a source record in messages. */
export type SourcePlace = Pick<CompleteSourceRecord, 'topic' | 'sourcePartition' | 'sourceOffset'>

/**
 * Describes a source record for messages. The text contains its topic, source partition and source
 * offset.
 */
export function describeSource(record: SourcePlace): string {
  const text = (v: unknown) =>
    JSON.stringify(v, (_, x: unknown) => (typeof x === 'bigint' ? x.toString() : x))?.slice(0, 300) ?? 'null'
  return `the record for topic ${record.topic} from ${text(record.sourcePartition)} before ${text(record.sourceOffset)}`
}
