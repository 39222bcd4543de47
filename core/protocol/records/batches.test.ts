import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { CompressionType } from '../compression/index.ts'
import { ErrorCode, KafkaError } from '../error-codes.ts'
import { CODECS, simple } from '../test-support/batches.ts'
import { estimateRecordSize, MAX_UTF8_PER_UNIT, RecordBatchBuilder } from './batch-builder.ts'
import * as header from './batch-header.ts'
import { DecodedBatch, readBatches } from './batch-reader.ts'

const bytes = fc.option(
  fc.uint8Array({ maxLength: 80 }).map(b => Buffer.from(b)),
  { freq: 5 },
)
const record = fc.record({
  key: bytes,
  value: bytes,
  timestamp: fc.oneof(fc.nat(4_000_000_000_000), fc.constantFrom(-1, 0, 2 ** 51)),
  headers: fc.array(fc.record({ key: fc.string({ unit: 'grapheme', maxLength: 8 }), value: bytes }), { maxLength: 3 }),
})
const recordList = fc.array(record, { minLength: 1, maxLength: 30 })

describe.each(CODECS)('a batch with compression %s', compression => {
  test('is read with the same header and records with which it was built', () => {
    fc.assert(
      fc.property(recordList, fc.nat(2 ** 40), (records, baseOffset) => {
        const builder = new RecordBatchBuilder({
          compression,
          producerId: 5,
          epoch: 2,
          sequence: 9,
          transactional: true,
        })
        for (const r of records) builder.append(r.key, r.value, r.timestamp, r.headers)
        const buf = builder.build()
        header.setBaseOffset(buf, 0, baseOffset)
        header.setLeaderEpoch(buf, 0, 77)
        const info = header.validateBatch(buf, 0, buf.length)
        expect(info).toMatchObject({
          baseOffset,
          leaderEpoch: 77,
          size: buf.length,
          recordCount: records.length,
          lastOffsetDelta: records.length - 1,
          compression: CompressionType[compression.toUpperCase() as Uppercase<typeof compression>],
          maxTimestamp: Math.max(...records.map(r => r.timestamp)),
          producerId: 5,
          producerEpoch: 2,
          baseSequence: 9,
          isTransactional: true,
          isControl: false,
        })
        const [batch] = [...readBatches(buf, { checkCrc: true })]
        expect(batch!.records()).toEqual(records.map((r, i) => ({ ...r, offset: baseOffset + i })))
      }),
      { numRuns: 40 },
    )
  })
})

describe('RecordBatchBuilder', () => {
  test('enlarges its buffer when necessary, and reports the size of the batch', () => {
    const builder = new RecordBatchBuilder({ initialSize: 64 })
    expect(builder.sizeInBytes).toBe(header.HEADER_SIZE)
    const value = Buffer.alloc(100, 'v')
    for (let i = 0; i < 10_000; i++) builder.append(null, value, 1)
    expect(builder.count).toBe(10_000)
    const size = builder.sizeInBytes
    const buf = builder.build()
    expect(buf.length).toBe(size)
    const [batch] = [...readBatches(buf)]
    expect(batch!.records().every(r => r.value!.equals(value))).toBe(true)
  })

  test.for(CODECS)('returns all its buffers to the pool, with compression %s', compression => {
    const out = new Set<Buffer>()
    const memory = {
      take: (size: number) => {
        const taken = Buffer.alloc(size)
        out.add(taken)
        return taken
      },
      give: (buffer: Buffer) => {
        expect(out.delete(buffer)).toBe(true)
        buffer.fill(0xdd)
      },
    }
    const builder = new RecordBatchBuilder({ compression, initialSize: 64, memory })
    for (let i = 0; i < 1000; i++) builder.append(null, Buffer.from(`value ${i}`), 1)
    expect(out.size).toBe(1)
    expect(() => builder.release()).toThrow('before build')
    const [batch] = [...readBatches(builder.build(), { checkCrc: true })]
    expect(batch!.records().map(r => String(r.value))).toEqual(Array.from({ length: 1000 }, (_, i) => `value ${i}`))
    builder.release()
    expect(out.size).toBe(0)
  })

  test('accepts no record after build', () => {
    const builder = new RecordBatchBuilder()
    builder.append(null, null, 1)
    builder.build()
    expect(() => builder.append(null, null, 1)).toThrow(TypeError)
  })

  test('writes no record that is larger than its estimated size', () => {
    fc.assert(
      fc.property(recordList, records => {
        const builder = new RecordBatchBuilder()
        for (const r of records) {
          const before = builder.sizeInBytes
          builder.append(r.key, r.value, r.timestamp, r.headers)
          expect(builder.sizeInBytes - before).toBeLessThanOrEqual(estimateRecordSize(r.key, r.value, r.headers))
        }
      }),
    )
  })

  test('accepts header keys as bytes', () => {
    const builder = new RecordBatchBuilder()
    builder.append(null, null, 1, [{ key: Buffer.from('schlüssel'), value: null }])
    const [batch] = [...readBatches(builder.build())]
    expect(batch!.records()[0]!.headers).toEqual([{ key: 'schlüssel', value: null }])
  })
})

describe('changing a batch header', () => {
  test('keeps the checksum valid if the base offset or the leader epoch changes', () => {
    const buf = simple()
    header.setBaseOffset(buf, 0, 2 ** 52 + 1)
    header.setLeaderEpoch(buf, 0, 3)
    expect(header.validateBatch(buf, 0, buf.length).baseOffset).toBe(2 ** 52 + 1)
  })

  test('updates the checksum if the producer state or the maximum timestamp changes', () => {
    const buf = simple()
    header.setProducerState(buf, 0, 2 ** 40, 7, 99)
    header.setMaxTimestamp(buf, 0, 1, 123_456n)
    expect(header.validateBatch(buf, 0, buf.length)).toMatchObject({
      producerId: 2 ** 40,
      producerEpoch: 7,
      baseSequence: 99,
      timestampType: 1,
    })
    expect(new DecodedBatch(buf, 0).records().map(r => r.timestamp)).toEqual([123_456, 123_456, 123_456])
  })

  test('is possible at any position of a larger buffer', () => {
    const one = simple()
    const both = Buffer.concat([one, one])
    header.setBaseOffset(both, one.length, 3)
    expect([...readBatches(both)].flatMap(b => b.records().map(r => r.offset))).toEqual([0, 1, 2, 3, 4, 5])
    expect(header.validateBatch(both, one.length, both.length).pos).toBe(one.length)
  })
})

describe('validateBatch', () => {
  const codeOf = (run: () => unknown): number => {
    try {
      run()
    } catch (error) {
      if (error instanceof KafkaError) return error.kafkaCode
      throw error
    }
    return ErrorCode.NONE
  }
  const withByte = (at: number, change: (byte: number) => number) => {
    const buf = simple()
    buf[at] = change(buf[at]!)
    return buf
  }
  const recount = (count: number, delta: number) => {
    const buf = simple()
    buf.writeInt32BE(count, header.RECORD_COUNT)
    buf.writeInt32BE(delta, header.LAST_OFFSET_DELTA)
    header.updateCrc(buf, 0)
    return buf
  }

  test('detects every changed byte, except in the base offset and the leader epoch', () => {
    const { length } = simple()
    for (let at = 0; at < length; at++) {
      const buf = withByte(at, byte => byte ^ 0x10)
      const free = at < 8 || (at >= 12 && at < 16)
      expect(codeOf(() => header.validateBatch(buf, 0, buf.length)) === ErrorCode.NONE, `byte ${at}`).toBe(free)
    }
  })

  test('throws an error with the code of the violated rule', () => {
    const of = (buf: Buffer, end = buf.length, maxBatchBytes?: number) =>
      codeOf(() => header.validateBatch(buf, 0, end, maxBatchBytes === undefined ? {} : { maxBatchBytes }))
    const whole = simple()
    expect(of(whole)).toBe(ErrorCode.NONE)
    expect(of(whole, whole.length - 1)).toBe(ErrorCode.CORRUPT_MESSAGE)
    expect(of(whole, 16)).toBe(ErrorCode.CORRUPT_MESSAGE)
    expect(of(whole, 0)).toBe(ErrorCode.CORRUPT_MESSAGE)
    expect(of(whole, whole.length, whole.length)).toBe(ErrorCode.NONE)
    expect(of(whole, whole.length, whole.length - 1)).toBe(ErrorCode.MESSAGE_TOO_LARGE)
    expect(of(withByte(header.MAGIC, () => 1))).toBe(ErrorCode.UNSUPPORTED_FOR_MESSAGE_FORMAT)
    expect(of(withByte(header.MAGIC, () => 3))).toBe(ErrorCode.CORRUPT_MESSAGE)
    expect(of(withByte(header.BATCH_LENGTH, () => 0x80))).toBe(ErrorCode.CORRUPT_MESSAGE)
    expect(of(withByte(header.BATCH_LENGTH, () => 0x7f))).toBe(ErrorCode.CORRUPT_MESSAGE)
    expect(of(withByte(header.BATCH_LENGTH + 3, () => 48))).toBe(ErrorCode.CORRUPT_MESSAGE)
    expect(of(recount(4, 2))).toBe(ErrorCode.INVALID_RECORD)
    expect(of(recount(-1, 2))).toBe(ErrorCode.INVALID_RECORD)
    expect(of(recount(0, -1))).toBe(ErrorCode.INVALID_RECORD)
    expect(of(withCompression(5))).toBe(ErrorCode.UNSUPPORTED_COMPRESSION_TYPE)
  })

  test('accepts a batch from which compaction has removed some or all records', () => {
    expect(header.validateBatch(recount(2, 2), 0, simple().length).recordCount).toBe(2)
    expect(header.validateBatch(recount(0, 2), 0, simple().length).recordCount).toBe(0)
  })

  function withCompression(type: number): Buffer {
    const buf = simple()
    buf.writeInt16BE(type, header.ATTRIBUTES)
    header.updateCrc(buf, 0)
    return buf
  }
})

test('a string value is encoded to the same bytes as its UTF-8 buffer', () => {
  // In both cases, lone surrogates become U+FFFD. The lengths include 64 and 8192 bytes, at which
  // the varint of the length becomes longer.
  const unit = fc.constantFrom('a', 'é', '€', '\u{1f600}', '\ud800', '\0')
  const text = fc.oneof(
    fc.string({ unit, maxLength: 150 }),
    fc.tuple(unit, fc.integer({ min: 8150, max: 8200 })).map(([c, n]) => c.repeat(n)),
  )
  fc.assert(
    fc.property(fc.array(text, { maxLength: 20 }), fc.integer({ min: 61, max: 400 }), (values, initialSize) => {
      const asText = new RecordBatchBuilder({ initialSize })
      const asBytes = new RecordBatchBuilder({ initialSize })
      for (const value of values) {
        const before = asText.sizeInBytes
        asText.append(null, value, 1000)
        asBytes.append(null, Buffer.from(value), 1000)
        const most = estimateRecordSize(null, value) + value.length * (MAX_UTF8_PER_UNIT - 1)
        expect(asText.sizeInBytes - before).toBeLessThanOrEqual(most)
      }
      expect(asText.build()).toEqual(asBytes.build())
    }),
  )
})
