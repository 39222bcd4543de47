import type { TopicPartitionOffset } from '../../client/types.ts'
import type { SourceOffset, SourcePartition } from '../../connect/record.ts'
import { asObject, type Json } from '../storage/connect-json.ts'
import { badRequest } from './rest-error.ts'

export type OffsetPair = readonly [partition: SourcePartition | null, offset: SourceOffset | null]

const MISSING = 'Partitions / offsets need to be provided for an alter offsets request'

/**
 * Returns the pairs in the body of a PATCH `{"offsets":[{"partition":{...},"offset":{...}|null}]}`.
 * Throws a 400 for an invalid body.
 */
export function parseOffsetsBody(body: { [key: string]: Json } | null): OffsetPair[] {
  for (const key of Object.keys(body ?? {}))
    if (key !== 'offsets') throw badRequest(`Unrecognized field "${key}"; the only allowed field is "offsets"`)
  const list = body?.['offsets']
  if (list === undefined || list === null || (Array.isArray(list) && list.length === 0)) throw badRequest(MISSING)
  if (!Array.isArray(list)) throw badRequest('"offsets" must be a list of {"partition": {...}, "offset": {...}}')
  return list.map((item, i): OffsetPair => {
    const entry = asObject(item)
    if (!entry) throw badRequest(`offset ${i + 1} must be an object with "partition" and "offset"`)
    return [part(entry, 'partition', i), part(entry, 'offset', i)]
  })
}

function part(entry: { [key: string]: Json }, name: string, i: number): { [key: string]: Json } | null {
  const value = entry[name] ?? null
  if (value === null) return null
  const object = asObject(value)
  if (!object) throw badRequest(`the ${name} of offset ${i + 1} must be an object or null`)
  return object
}

export interface SinkOffset {
  readonly topic: string
  readonly partition: number
  /** The offset to commit. Null deletes the committed offset. */
  readonly offset: number | null
}

function integer(value: unknown, what: 'partition' | 'offset'): number {
  // String([5]) is '5'. Without the brackets, a list would be accepted as a number.
  const text = Array.isArray(value) ? `[${value.join(', ')}]` : String(value)
  const n = /^[+-]?\d+$/.test(text) ? Number(text) : Number.NaN
  const limit = what === 'partition' ? 2 ** 31 : 2 ** 53
  if (Number.isSafeInteger(n) && n < limit) {
    if (n >= 0) return n
    throw badRequest(`The ${what} ${text} is negative; the lowest ${what} is 0`)
  }
  const name = what === 'partition' ? 'Kafka partition' : 'Kafka offset'
  const plural = what === 'partition' ? 'Partition' : 'Offset'
  throw badRequest(
    `Failed to parse the following ${name} value in the provided offsets: '${text}'. ${plural} values for sink connectors need to be integers.`,
  )
}

/**
 * Parses the offsets that a PATCH request sets for a sink. Throws a 400 with Connect's messages.
 */
export function parseSinkOffsets(pairs: readonly OffsetPair[]): SinkOffset[] {
  return pairs.map(([partition, offset]) => {
    if (partition === null) throw badRequest('The partition for a sink connector offset cannot be null or missing')
    const topic = partition['kafka_topic']
    const number = partition['kafka_partition']
    if (topic === undefined || topic === null || number === undefined || number === null)
      throw badRequest(
        "The partition for a sink connector offset must contain the keys 'kafka_topic' and 'kafka_partition'",
      )
    const at = integer(number, 'partition')
    if (offset === null) return { topic: String(topic), partition: at, offset: null }
    const value = offset['kafka_offset']
    if (value === undefined || value === null)
      throw badRequest("The offset for a sink connector should either be null or contain the key 'kafka_offset'")
    return { topic: String(topic), partition: at, offset: integer(value, 'offset') }
  })
}

/** Returns a sink's committed offsets in REST's format. */
export function showSinkOffsets(offsets: readonly TopicPartitionOffset[]) {
  return offsets.map(o => ({
    partition: { kafka_partition: o.partition, kafka_topic: o.topic },
    offset: { kafka_offset: o.offset },
  }))
}
