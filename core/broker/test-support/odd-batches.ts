import type { CompressionName } from '../../protocol/compression/index.ts'
import {
  CONTROL,
  DELETE_HORIZON,
  LOG_APPEND_TIME,
  MAX32,
  MAX64,
  MIN32,
  MIN64,
  type RawBatch,
  type RawRecord,
  rawBatch,
  TRANSACTIONAL,
  varint,
} from './raw-batch.ts'

/** A Produce request with an unusual or invalid batch. */
export interface OddBatch {
  readonly name: string
  /** The configuration of the topic. */
  readonly config?: Readonly<Record<string, string>>
  readonly batch?: RawBatch
  /** Returns the bytes of the records field. By default, these are the bytes of the batch. */
  readonly bytes?: (batch: Buffer, now: bigint) => Buffer | null
  readonly transactionalId?: string
  readonly version?: number
}

const COMPACTED = { 'cleanup.policy': 'compact' }
const ANY_TIME = { 'message.timestamp.after.max.ms': String(MAX64) }
const APPEND_TIME = { 'message.timestamp.type': 'LogAppendTime' }
const CODECS: readonly CompressionName[] = ['none', 'gzip', 'snappy', 'lz4', 'zstd']
const FIVE: readonly RawRecord[] = [{}, {}, {}, {}, {}]

const text = (x: unknown) => JSON.stringify(x, (_, v) => (typeof v === 'bigint' ? `${v}` : v))

/** Batches whose header fields have extreme values. */
const headers: readonly OddBatch[] = [
  ...[1n, -1n, 2n ** 53n + 1n, MAX64, MIN64].map(baseOffset => ({ batch: { baseOffset } })),
  ...[0, 13, 14, 40, 48, 49, 60, 62, MAX32, MIN32, -1].map(length => ({ batch: { length } })),
  ...[0, 7, MAX32, MIN32].map(leaderEpoch => ({ batch: { leaderEpoch } })),
  ...[0, 1, 3, 127, -1, -128].map(magic => ({ batch: { magic } })),
  { batch: { crc: 0 } },
  ...[0, 1, 2, 3, 1000, MAX32, -1, MIN32].flatMap(n => [
    { batch: { lastOffsetDelta: n } },
    { batch: { count: n } },
    { batch: { count: n, lastOffsetDelta: (n - 1) | 0 } },
  ]),
  ...[0n, 1n, 2n ** 53n - 1n, 2n ** 53n + 1n, MAX64 - 1n, MAX64].flatMap(producerId => [
    { batch: { producerId, producerEpoch: 0, baseSequence: 0 } },
    { batch: { producerId, producerEpoch: 0, baseSequence: -1 } },
  ]),
  ...[-2n, -(2n ** 53n) - 1n, MIN64].map(producerId => ({ batch: { producerId, producerEpoch: 3, baseSequence: 5 } })),
  ...[1, 32767, -1, -2, -32768].map(producerEpoch => ({
    batch: { producerId: 9n, producerEpoch, baseSequence: 0 },
  })),
  ...[1, MAX32 - 1, MAX32, -1, -2, MIN32].flatMap(baseSequence => [
    { batch: { producerId: 9n, producerEpoch: 0, baseSequence } },
    { batch: { baseSequence } },
  ]),
].map(c => ({ name: text(c.batch), ...c }))

/**
 * Batches whose attributes contain an unknown codec, a codec that does not match the records, or a
 * flag that a producer must not set.
 */
const attributes: readonly OddBatch[] = [
  ...[5, 6, 7].map(a => ({ name: `codec ${a}`, batch: { attributes: a } })),
  ...[1, 2, 3, 4].map(a => ({
    name: `codec ${a} in the attributes of uncompressed records`,
    batch: { attributes: a },
  })),
  ...(['gzip', 'zstd'] as const).map(codec => ({
    name: `no codec in the attributes of ${codec} records`,
    batch: { codec, attributes: 0 },
  })),
  { name: 'LogAppendTime', batch: { attributes: LOG_APPEND_TIME } },
  { name: 'LogAppendTime, gzip', batch: { codec: 'gzip', attributes: LOG_APPEND_TIME | 1 } },
  { name: 'LogAppendTime to a topic of LogAppendTime', config: APPEND_TIME, batch: { attributes: LOG_APPEND_TIME } },
  { name: 'CreateTime to a topic of LogAppendTime', config: APPEND_TIME, batch: { maxTimestamp: 5n } },
  { name: 'gzip to a topic of LogAppendTime', config: APPEND_TIME, batch: { codec: 'gzip', maxTimestamp: 5n } },
  { name: 'control', batch: { attributes: CONTROL } },
  {
    name: 'control and transactional',
    batch: { attributes: CONTROL | TRANSACTIONAL, producerId: 9n, producerEpoch: 0 },
  },
  { name: 'delete horizon', batch: { attributes: DELETE_HORIZON } },
  { name: 'delete horizon, compacted', config: COMPACTED, batch: { attributes: DELETE_HORIZON } },
  ...[0x80, 0x100, 0x7f80, -0x8000].map(a => ({ name: `unused bits ${a}`, batch: { attributes: a } })),
  { name: 'unused bits and an invalid maxTimestamp', batch: { attributes: 0x700, maxTimestamp: 5n } },
  ...[-1n, 9n].flatMap(producerId =>
    [undefined, 'some-id'].flatMap(transactionalId => [
      {
        name: `transactional, producer ${producerId}, id ${transactionalId}`,
        batch: { attributes: TRANSACTIONAL, producerId, producerEpoch: 0, baseSequence: 0 },
        ...(transactionalId && { transactionalId }),
      },
    ]),
  ),
  { name: 'not transactional, with a transactional id', batch: {}, transactionalId: 'some-id' },
  {
    name: 'transactional gzip',
    batch: { codec: 'gzip', attributes: TRANSACTIONAL | 1, producerId: 9n, producerEpoch: 0, baseSequence: 0 },
  },
]

/** Batches with unusual timestamps in the header or in the records. Some are relative to `now`. */
const times: readonly OddBatch[] = [
  ...[-1n, 0n, 1n, MAX64, MIN64].flatMap(maxTimestamp =>
    CODECS.map(codec => ({ name: `maxTimestamp ${maxTimestamp}, ${codec}`, batch: { maxTimestamp, codec } })),
  ),
  ...[-2n, -1n, 0n, 1n, 2n ** 53n + 1n, MAX64 - 1n, MAX64, MIN64, MIN64 + 1n].flatMap(baseTimestamp =>
    [undefined, ANY_TIME].flatMap(config =>
      (['none', 'gzip'] as const).map(codec => ({
        name: `time ${baseTimestamp}, ${codec}, ${config ? 'any time' : 'default'}`,
        batch: { baseTimestamp, maxTimestamp: baseTimestamp, codec },
        ...(config && { config }),
      })),
    ),
  ),
  ...[-1n, 1n, -(2n ** 53n) - 1n, 2n ** 53n + 1n, MAX64, MIN64].flatMap(timestampDelta =>
    [undefined, ANY_TIME].flatMap(config =>
      (['none', 'gzip'] as const).map(codec => ({
        name: `delta ${timestampDelta}, ${codec}, ${config ? 'any time' : 'default'}`,
        batch: { records: [{}, { timestampDelta }, {}], codec },
        ...(config && { config }),
      })),
    ),
  ),
  {
    name: 'deltas that overflow',
    config: ANY_TIME,
    batch: {
      baseTimestamp: MAX64,
      records: [{ timestampDelta: 1n }, { timestampDelta: MAX64 }, { timestampDelta: -5n }],
    },
  },
  { name: 'one hour and a minute ahead', batch: { records: [{}, { timestampDelta: 3_660_000n }, {}] } },
  { name: 'half an hour ahead', batch: { records: [{}, { timestampDelta: 1_800_000n }, {}] } },
  {
    name: 'two of four records are too old',
    config: { 'message.timestamp.before.max.ms': '600000' },
    batch: { records: [{}, { timestampDelta: -1_200_000n }, {}, { timestampDelta: -61_000_000n }] },
  },
  {
    name: 'records without timestamps, with message.timestamp.before.max.ms',
    config: { 'message.timestamp.before.max.ms': '600000' },
    batch: { baseTimestamp: -1n, maxTimestamp: -1n },
  },
  {
    name: 'a record that is too old, recompressed',
    config: { 'message.timestamp.before.max.ms': '600000', 'compression.type': 'lz4' },
    batch: { records: [{}, { timestampDelta: -1_200_000n }] },
  },
  {
    name: 'records that are too old or have no key',
    config: { ...COMPACTED, 'message.timestamp.before.max.ms': '600000' },
    batch: {
      records: [{}, { key: null, timestampDelta: -1_200_000n }, { timestampDelta: -1_200_000n }, { key: null }],
    },
  },
]

const recordFaults: readonly (readonly [string, readonly RawRecord[], RawBatch?])[] = [
  ['length 0', [{}, { length: 0 }]],
  ['length -1', [{}, { length: -1 }]],
  ['length one less', [{}, { length: 9 }, {}]],
  ['length one more', [{}, { length: 11 }, {}]],
  ['length past the end', [{}, { length: 1000 }]],
  ['length max', [{}, { length: MAX32 }]],
  ['length min', [{}, { length: MIN32 }]],
  ['attributes 255', [{}, { attributes: 255 }]],
  ['all offset deltas 0', [{ offsetDelta: 0 }, { offsetDelta: 0 }, { offsetDelta: 0 }]],
  ['offset deltas backwards', [{ offsetDelta: 2 }, { offsetDelta: 1 }, { offsetDelta: 0 }]],
  ['offset deltas from 1', [{ offsetDelta: 1 }, { offsetDelta: 2 }, { offsetDelta: 3 }]],
  ['offset delta max', [{}, { offsetDelta: MAX32 }]],
  ['offset delta min', [{}, { offsetDelta: MIN32 }]],
  ['key length past the end', [{}, { keyLength: 1000 }]],
  ['key length into the value', [{}, { keyLength: 3 }]],
  ['key length min', [{}, { key: null, keyLength: MIN32 }]],
  ['key length -2', [{}, { key: null, keyLength: -2 }]],
  ['key length max', [{}, { keyLength: MAX32 }]],
  ['value length past the end', [{}, { valueLength: 1000 }]],
  ['value length -2', [{}, { value: null, valueLength: -2 }]],
  ['value length max', [{}, { valueLength: MAX32 }]],
  ['header count -1', [{}, { headerCount: -1 }]],
  ['header count 1 without headers', [{}, { headerCount: 1 }]],
  ['header count max', [{}, { headerCount: MAX32 }]],
  ['header count 0 with a header', [{}, { headers: [{ key: 'a', value: 'b' }], headerCount: 0 }]],
  ['header without a key', [{}, { headers: [{ key: '', value: 'b', keyLength: -1 }] }]],
  ['header key past the end', [{}, { headers: [{ key: 'a', value: 'b', keyLength: 100 }] }]],
  ['header key not UTF-8', [{ bytes: Buffer.from([20, 0, 0, 0, 1, 1, 2, 4, 0xff, 0xfe, 1].map(b => b)) }]],
  [
    'valid headers',
    [
      {},
      {
        headers: [
          { key: 'a', value: 'b' },
          { key: '', value: null },
        ],
      },
    ],
  ],
  ['a varint that never ends', [{ bytes: Buffer.alloc(40, 0xff) }]],
  ['an overlong varint', [{ bytes: Buffer.from([0x8c, 0x80, 0x00, 0, 0, 0, 1, 1, 0]) }]],
  [
    'a varint of more than 32 bits',
    [{ bytes: Buffer.concat([Buffer.from([0xfc, 0xff, 0xff, 0xff, 0x1f]), Buffer.alloc(30)]) }],
  ],
  ['one record more than the count', FIVE, { count: 4, lastOffsetDelta: 3 }],
  ['one record less than the count', FIVE, { count: 6, lastOffsetDelta: 5 }],
  ['count 1000 with five records', FIVE, { count: 1000, lastOffsetDelta: 999 }],
  ['the largest count with five records', FIVE, { count: MAX32, lastOffsetDelta: MAX32 - 1 }],
  [
    'bytes after the last record',
    [{}, { bytes: Buffer.concat([varint(12), Buffer.from([0, 0, 2, 1, 1, 0])]) }, { bytes: Buffer.from([7]) }],
    { count: 2, lastOffsetDelta: 1 },
  ],
  ['no records', [], { count: 1, lastOffsetDelta: 0 }],
  ['a null key', [{ key: null }]],
  ['all null', [{ key: null, value: null }]],
  ['empty key and value', [{ key: '', value: '' }]],
]

const records: readonly OddBatch[] = recordFaults.flatMap(([name, list, batch]) =>
  CODECS.map(codec => ({ name: `${name}, ${codec}`, batch: { ...batch, records: list, codec } })),
)

function withChangedByte(body: Buffer): Buffer {
  body[body.length >> 1]! ^= 0xff
  return body
}

const compressedBodies: readonly OddBatch[] = CODECS.slice(1).flatMap(codec => [
  { name: `garbage as ${codec} records`, batch: { codec, records: FIVE, body: b => Buffer.alloc(b.length, 0x55) } },
  { name: `no bytes as ${codec} records`, batch: { codec, records: FIVE, body: () => Buffer.alloc(0) } },
  { name: `${codec} records cut in half`, batch: { codec, records: FIVE, body: b => b.subarray(0, b.length >> 1) } },
  { name: `one changed byte in ${codec} records`, batch: { codec, records: FIVE, body: withChangedByte } },
  {
    name: `zeros after ${codec} records`,
    batch: { codec, records: FIVE, body: b => Buffer.concat([b, Buffer.alloc(5)]) },
  },
  {
    name: `garbage after ${codec} records`,
    batch: { codec, records: FIVE, body: b => Buffer.concat([b, Buffer.alloc(9, 7)]) },
  },
  { name: `the same ${codec} records twice`, batch: { codec, records: FIVE, body: b => Buffer.concat([b, b]) } },
])

const keyless = (every: number) => Array.from({ length: 100 }, (_, i) => (i % every === 3 ? { key: null } : {}))
const topics: readonly OddBatch[] = [
  ...CODECS.map(codec => ({
    name: `10 of 100 records without a key, ${codec}`,
    config: COMPACTED,
    batch: { codec, records: keyless(10) },
  })),
  { name: 'all records without a key', config: COMPACTED, batch: { records: [{ key: null }, { key: null }] } },
  { name: 'one of two records without a key', config: COMPACTED, batch: { records: [{}, { key: null }] } },
  {
    name: 'a record without a key for cleanup.policy=delete,compact',
    config: { 'cleanup.policy': 'delete,compact' },
    batch: { records: [{ key: null }] },
  },
  { name: 'too large', config: { 'max.message.bytes': '200' }, batch: { records: [{ value: 'x'.repeat(300) }] } },
  {
    name: 'larger than a segment',
    config: { 'segment.bytes': '1048576', 'max.message.bytes': '3000000' },
    batch: { records: [{ value: 'x'.repeat(1100000) }] },
  },
  {
    name: 'too large when uncompressed',
    config: { 'max.message.bytes': '400', 'compression.type': 'uncompressed' },
    batch: { codec: 'gzip', records: [{ value: 'x'.repeat(300) }, { value: 'x'.repeat(300) }] },
  },
  ...(['uncompressed', 'gzip', 'snappy', 'lz4', 'zstd'] as const).flatMap(type =>
    CODECS.map(codec => ({
      name: `${codec} for compression.type=${type}, with an invalid maxTimestamp`,
      config: { 'compression.type': type },
      batch: { codec, maxTimestamp: 1n, records: [{}, { timestampDelta: 5n }, { timestampDelta: -5n }] },
    })),
  ),
  ...[-2n, MIN64].map(baseTimestamp => ({
    name: `time ${baseTimestamp} recompressed`,
    config: { 'compression.type': 'gzip', ...ANY_TIME },
    batch: { baseTimestamp, maxTimestamp: 0n },
  })),
  {
    name: 'producer epoch -1, recompressed',
    config: { 'compression.type': 'gzip' },
    batch: { producerId: 9n, producerEpoch: -1, baseSequence: 0 },
  },
  {
    name: 'producer id max, recompressed',
    config: { 'compression.type': 'zstd' },
    batch: { producerId: MAX64, producerEpoch: 32767, baseSequence: MAX32 },
  },
  {
    name: 'time max recompressed',
    config: { 'compression.type': 'zstd', ...ANY_TIME },
    batch: { baseTimestamp: MAX64, maxTimestamp: 0n, records: [{}, { timestampDelta: -1n }] },
  },
]

/** Requests that contain no complete batch, more than one, or other bytes. */
const framing: readonly OddBatch[] = [
  { name: 'no bytes', bytes: () => Buffer.alloc(0) },
  ...[1, 11, 12, 16, 17, 21, 60, 61, 65].map(n => ({
    name: `the first ${n} bytes`,
    bytes: (b: Buffer) => b.subarray(0, n),
  })),
  { name: 'all but the last byte', bytes: b => b.subarray(0, -1) },
  { name: 'two batches', bytes: b => Buffer.concat([b, b]) },
  { name: 'one and a half batches', bytes: b => Buffer.concat([b, b.subarray(0, 65)]) },
  { name: 'a batch and one zero byte', bytes: b => Buffer.concat([b, Buffer.from([0])]) },
  { name: 'a batch and 12 zero bytes', bytes: b => Buffer.concat([b, Buffer.alloc(12)]) },
  { name: 'a batch and 17 zero bytes', bytes: b => Buffer.concat([b, Buffer.alloc(17)]) },
  { name: '40 bytes of garbage', bytes: () => Buffer.alloc(40, 0x41) },
  { name: '100 zero bytes', bytes: () => Buffer.alloc(100) },
  { name: 'zstd in a request of version 6', version: 6, batch: { codec: 'zstd' } },
  { name: 'gzip in a request of version 3', version: 3, batch: { codec: 'gzip' } },
]

/** All cases. Their names are unique. */
export const ODD_BATCHES: readonly OddBatch[] = [
  ...headers,
  ...attributes,
  ...times,
  ...records,
  ...compressedBodies,
  ...topics,
  ...framing,
]

/** Returns the records field of the request that a case sends. */
export function bytesOf(c: OddBatch, now: bigint): Buffer | null {
  const batch = rawBatch(c.batch ?? {}, now)
  return c.bytes ? c.bytes(batch, now) : batch
}
