import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { compress } from '../compression/index.ts'
import { isProtocolError } from '../errors.ts'
import { build, CODECS, simple } from '../test-support/batches.ts'
import { RecordBatchBuilder } from './batch-builder.ts'
import * as header from './batch-header.ts'
import { DecodedBatch, readBatches } from './batch-reader.ts'
import {
  buildEndTransactionMarker,
  controlRecordKey,
  controlRecordType,
  readEndTransactionMarker,
} from './control-records.ts'

describe('reading', () => {
  test('skips an incomplete last batch of any length', () => {
    const whole = simple()
    for (let cut = 0; cut < whole.length; cut++) {
      const buf = Buffer.concat([whole, whole.subarray(0, cut)])
      expect([...readBatches(buf, { checkCrc: true })].length).toBe(1)
    }
  })

  test('returns keys and values as slices, not as copies', () => {
    const buf = simple()
    const [batch] = [...readBatches(buf)]
    for (const r of batch!.records()) expect(r.value!.buffer).toBe(buf.buffer)
  })

  test('detects a wrong checksum if checkCrc is set', () => {
    const buf = simple()
    buf[buf.length - 2]! ^= 1
    expect(() => [...readBatches(buf, { checkCrc: true })]).toThrow(/checksum/)
    expect([...readBatches(buf)].length).toBe(1)
  })

  test('rejects old formats and impossible lengths', () => {
    const old = simple()
    old[header.MAGIC] = 1
    expect(() => [...readBatches(old)]).toThrow(/message format 1/)
    const short = simple()
    short.writeInt32BE(-20, header.BATCH_LENGTH)
    expect(() => [...readBatches(short)]).toThrow(/MR_PROTOCOL_MALFORMED/)
  })

  test.each([2 ** 31 - 1, 1_000_000, -1, 4, 2])('rejects a record count of %i for 3 records', count => {
    const buf = simple()
    buf.writeInt32BE(count, header.RECORD_COUNT)
    expect(() => new DecodedBatch(buf, 0).records()).toThrow(/MR_PROTOCOL_MALFORMED/)
  })

  /** Returns a batch with one record. `hex` contains the bytes of the record after its length. */
  function withRecord(hex: string, length = hex.length / 2): Buffer {
    const buf = Buffer.concat([
      build([{ key: null, value: null, timestamp: 0 }]).subarray(0, 61),
      Buffer.alloc(1),
      Buffer.from(hex, 'hex'),
    ])
    buf[61] = length << 1
    buf.writeInt32BE(buf.length - 12, header.BATCH_LENGTH)
    return buf
  }

  test.each([
    ['a key longer than the record', '000000' + '0c' + '6161'],
    ['a key of 2^31 bytes', '000000' + 'feffffff0f' + '61' + '00'],
    ['2^30 headers', '000000' + '0101' + '8080808008'],
    ['a negative number of headers', '000000' + '0101' + '01'],
    ['a header without a key', '000000' + '0101' + '02' + '0101'],
    ['bytes after its last field', '000000' + '0101' + '00' + 'aabb'],
    ['a varint that does not end', '00' + 'ff'.repeat(12)],
    ['no content', ''],
  ])('rejects a record with %s', (_what, hex) => {
    const buf = withRecord(hex.padEnd(14, '0'), hex === '' ? 0 : hex.length / 2)
    expect(() => new DecodedBatch(buf, 0).records()).toThrow(/MR_PROTOCOL_MALFORMED/)
  })

  test('wraps timestamps that exceed the largest int64, as in Java', () => {
    const builder = new RecordBatchBuilder({ baseTimestamp: 0 })
    for (const delta of [0, 1, -5]) builder.append(null, null, delta)
    const batch = builder.build()
    batch.writeBigInt64BE(2n ** 63n - 1n, 27)
    const times = [...readBatches(batch)][0]!.records().map(r => r.timestamp)
    expect(times).toEqual([2 ** 63, -(2 ** 63), Number(2n ** 63n - 6n)])
  })

  test('rejects a record that is longer than the batch or has a negative length', () => {
    for (const length of [60, -5]) {
      const buf = withRecord('0000000101000000', length)
      expect(() => new DecodedBatch(buf, 0).records()).toThrow(/MR_PROTOCOL_MALFORMED/)
    }
  })

  test('rejects a batch whose decompressed size exceeds the limit', () => {
    const body = compress('zstd', Buffer.alloc(64 << 20))
    const buf = Buffer.concat([simple({ compression: 'zstd' }).subarray(0, 61), body])
    buf.writeInt32BE(buf.length - 12, header.BATCH_LENGTH)
    const [batch] = [...readBatches(buf, { maxDecompressedBytes: 1 << 20 })]
    expect(() => batch!.records()).toThrow(/MR_PROTOCOL_TOO_LARGE/)
  })

  test('causes a ProtocolError or returns records if bytes were changed', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...CODECS),
        fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 5 }),
        (compression, changes) => {
          const buf = simple({ compression })
          for (const [at, byte] of changes) buf[at % buf.length] = byte
          try {
            for (const batch of readBatches(buf)) batch.records()
          } catch (error) {
            if (!isProtocolError(error)) throw error
          }
        },
      ),
      { numRuns: 2000 },
    )
  })
})

describe('control batches', () => {
  test('transaction end markers are read as they were built', () => {
    for (const committed of [true, false]) {
      const buf = buildEndTransactionMarker({ committed, coordinatorEpoch: 12 }, { id: 1000, epoch: 4 }, 1234)
      const info = header.validateBatch(buf, 0, buf.length)
      expect(info).toMatchObject({
        isControl: true,
        isTransactional: true,
        producerId: 1000,
        producerEpoch: 4,
        recordCount: 1,
      })
      const records = new DecodedBatch(buf, 0).records()
      expect(records.map(readEndTransactionMarker)).toEqual([{ committed, coordinatorEpoch: 12 }])
    }
  })

  test('the type of a control record is read from its key, and can be unknown', () => {
    expect(controlRecordType({ key: controlRecordKey('leader-change') })).toBe('leader-change')
    expect(readEndTransactionMarker({ key: controlRecordKey('kraft-voters'), value: null })).toBeNull()
    expect(controlRecordType({ key: Buffer.from([0, 0, 0, 99]) })).toBe('unknown')
    expect(() => controlRecordType({ key: null })).toThrow(/MR_PROTOCOL_MALFORMED/)
    expect(() => readEndTransactionMarker({ key: controlRecordKey('commit'), value: null })).toThrow(
      /MR_PROTOCOL_MALFORMED/,
    )
  })
})
