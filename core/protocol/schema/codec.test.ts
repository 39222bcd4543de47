import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isProtocolError } from '../errors.ts'
import { ProduceRequest } from '../messages/00-produce.ts'
import { FetchRequest, FetchResponse } from '../messages/01-fetch.ts'
import { MetadataRequest } from '../messages/03-metadata.ts'
import { OffsetFetchRequest } from '../messages/09-offset-fetch.ts'
import { ApiVersionsResponse } from '../messages/18-api-versions.ts'
import { DescribeTopicPartitionsRequest } from '../messages/75-describe-topic-partitions.ts'
import { messageArbitrary } from '../test-support/arbitrary.ts'
import { allDeclarations, versionsOf } from '../test-support/declarations.ts'
import { decode, decodeVersioned, decodeWithLength, encode, encodeVersioned, MAX_REQUEST_ELEMENTS } from './codec.ts'
import { array, int32, int64, message, string, struct } from './declare.ts'
import { Writer } from './writer.ts'

const cases = allDeclarations.flatMap(declaration => versionsOf(declaration).map(version => ({ declaration, version })))

/** Runs an operation on bytes that may be invalid. Only a ProtocolError is acceptable. */
function survives(run: () => unknown): void {
  try {
    run()
  } catch (error) {
    if (!isProtocolError(error)) throw error
  }
}

describe('every message in every version', () => {
  test('is decoded to the value that was encoded, and no bytes remain', () => {
    for (const { declaration, version } of cases)
      fc.assert(
        fc.property(messageArbitrary(declaration, version), value => {
          const bytes = Buffer.concat(encode(declaration, version, value))
          const read = decodeWithLength(declaration, version, bytes)
          expect(read.value, `${declaration.name} v${version}`).toEqual(value)
          expect(read.end).toBe(bytes.length)
        }),
        { numRuns: 12 },
      )
  })

  test('is malformed if it is truncated', () => {
    for (const { declaration, version } of cases)
      fc.assert(
        fc.property(messageArbitrary(declaration, version), fc.nat(), (value, cut) => {
          const bytes = Buffer.concat(encode(declaration, version, value))
          if (bytes.length === 0) return
          expect(() => decode(declaration, version, bytes.subarray(0, cut % bytes.length))).toThrow(
            /MR_PROTOCOL_MALFORMED/,
          )
        }),
        { numRuns: 6 },
      )
  })

  test('is decoded or causes a ProtocolError if a byte was changed', () => {
    for (const { declaration, version } of cases)
      fc.assert(
        fc.property(messageArbitrary(declaration, version), fc.nat(), fc.nat(255), (value, at, byte) => {
          const bytes = Buffer.concat(encode(declaration, version, value))
          if (bytes.length > 0) bytes[at % bytes.length] = byte
          survives(() => decode(declaration, version, bytes))
        }),
        { numRuns: 8 },
      )
  })

  test('is decoded or causes a ProtocolError if the bytes are random', () => {
    for (const { declaration, version } of cases)
      fc.assert(
        fc.property(fc.uint8Array({ maxLength: 200 }), bytes =>
          survives(() => decode(declaration, version, Buffer.from(bytes))),
        ),
        { numRuns: 8 },
      )
  })

  test('has its default values if it is encoded from an empty object', () => {
    for (const { declaration, version } of cases) {
      const read = decode(declaration, version, Buffer.concat(encode(declaration, version, {})))
      expect(Buffer.concat(encode(declaration, version, read))).toEqual(Buffer.concat(encode(declaration, version, {})))
    }
  })
})

describe('encoding', () => {
  test('references large record batches and their chunks instead of copying them', () => {
    const whole = Buffer.alloc(5000, 1)
    const parts = [Buffer.alloc(2000, 2), Buffer.alloc(10, 3), Buffer.alloc(1024, 4)]
    const chunks = encode(FetchResponse, 12, {
      responses: [{ topic: 't', partitions: [{ records: whole }, { records: parts }, { records: null }] }],
    })
    expect(chunks).toContain(whole)
    expect(chunks).toContain(parts[0])
    expect(chunks).toContain(parts[2])
    const read = decode(FetchResponse, 12, Buffer.concat(chunks))
    const [first, second, third] = read.responses[0]!.partitions
    expect(first!.records).toEqual(whole)
    expect(second!.records).toEqual(Buffer.concat(parts))
    expect(third!.records).toBeNull()
  })

  test('omits a tagged field that has its default value, and writes tagged structs with their size', () => {
    const topics = (leader: object) => [{ topic: 't', partitions: [{ currentLeader: leader }] }]
    const plain = Buffer.concat(encode(FetchResponse, 12, { responses: topics({}) }))
    const same = Buffer.concat(encode(FetchResponse, 12, { responses: topics({ leaderId: -1, leaderEpoch: -1 }) }))
    const set = Buffer.concat(encode(FetchResponse, 12, { responses: topics({ leaderId: 5 }) }))
    expect(same).toEqual(plain)
    // The difference is the tag, the size, two int32 fields, and the tagged fields of the struct.
    expect(set.length - plain.length).toBe(1 + 1 + 4 + 4 + 1)
  })

  test('writes the size of tagged fields of any length', () => {
    for (const length of [1, 100, 130, 20_000]) {
      const host = 'h'.repeat(length)
      const input = { nodeEndpoints: [{ nodeId: 1, host, port: 9092 }] }
      expect(decode(FetchResponse, 16, Buffer.concat(encode(FetchResponse, 16, input))).nodeEndpoints[0]!.host).toBe(
        host,
      )
    }
  })

  test('writes one byte before a nullable struct', () => {
    const read = (cursor: { topicName: string; partitionIndex: number } | null) => {
      const bytes = Buffer.concat(encode(DescribeTopicPartitionsRequest, 0, { cursor }))
      return { bytes, cursor: decode(DescribeTopicPartitionsRequest, 0, bytes).cursor }
    }
    expect(read(null).cursor).toBeNull()
    expect(read({ topicName: 'a', partitionIndex: 3 }).cursor).toEqual({ topicName: 'a', partitionIndex: 3 })
    expect(read(null).bytes.toString('hex')).toBe('01' + '000007d0' + 'ff' + '00')
  })

  test('keeps Long.MAX_VALUE and Long.MIN_VALUE, and clamps values that do not fit into 64 bits', () => {
    const one = message({ name: 'One', type: 'data', versions: '0', flexible: 'none', fields: { n: int64('0+') } })
    const bytesOf = (n: number) => Buffer.concat(encode(one, 0, { n })).toString('hex')
    expect(bytesOf(2 ** 63)).toBe('7fffffffffffffff')
    expect(bytesOf(1e300)).toBe('7fffffffffffffff')
    expect(bytesOf(-(2 ** 63))).toBe('8000000000000000')
    expect(bytesOf(-1)).toBe('ffffffffffffffff')
    expect(bytesOf(-4294967297)).toBe('fffffffeffffffff')
    expect(decode(one, 0, Buffer.from('7fffffffffffffff', 'hex')).n).toBe(2 ** 63)
    expect(() => bytesOf(1.5)).toThrow(/MR_PROTOCOL_UNREPRESENTABLE/)
    expect(() => bytesOf(Number.NaN)).toThrow(/MR_PROTOCOL_UNREPRESENTABLE/)
  })

  test('rejects a value that does not fit into its field, and names the field', () => {
    const produce = (partition: object) => () =>
      encode(ProduceRequest, 9, { topicData: [{ name: 't', partitionData: [partition] }] })
    expect(produce({ index: 2 ** 31 })).toThrow(/ProduceRequest\.topicData\.partitionData\.index/)
    expect(produce({ index: 'x' })).toThrow(/MR_PROTOCOL_UNREPRESENTABLE/)
    expect(() => encode(ProduceRequest, 9, { topicData: [{ name: 'x'.repeat(40_000) }] })).toThrow(/40000 bytes/)
    expect(() => encode(ProduceRequest, 13, { topicData: [{ topicId: 'short' }] })).toThrow(/uuid/)
    expect(() => encode(MetadataRequest, 0, { topics: null })).toThrow(/version 0 does not allow null/)
  })

  test('rejects a value for a field that the version of a request does not have, unless the field is ignorable', () => {
    expect(() => encode(FetchRequest, 4, { replicaState: { replicaId: 3 } })).toThrow(/does not have this field/)
    expect(() => encode(FetchRequest, 4, { rackId: 'a', replicaState: { replicaId: -1 } })).not.toThrow()
    // A response can have values for fields that its version does not have. The encoder drops them.
    expect(() => encode(ApiVersionsResponse, 0, { throttleTimeMs: 5, zkMigrationReady: true })).not.toThrow()
  })
})

describe('decoding hostile bytes', () => {
  const list = message({
    name: 'List',
    type: 'data',
    versions: '0-1',
    flexible: '1',
    fields: {
      names: array('0+', 'string'),
      inner: struct('0+', { numbers: array('0+', { n: int32('0+') }), s: string('0+') }),
    },
  })
  const hex = (text: string) => Buffer.from(text, 'hex')

  test.each([
    ['a count of 2^31 - 1', 0, '7fffffff0000'],
    ['a negative count', 0, 'fffffffe'],
    ['a null count', 0, 'ffffffff'],
    ['a compact count of 2^32 - 1', 1, 'ffffffff0f00'],
    ['a null compact count', 1, '00'],
    ['a string past the end', 0, '000000017fff61'],
    ['a string of negative length', 0, '00000001fffe61'],
    ['a varint of more than 32 bits', 1, 'ffffffffff01'],
    ['a varint of ten bytes', 1, '80808080808080808001'],
    ['a varint that does not end', 1, '8080'],
    ['a compact string longer than the maximum', 1, '02' + '818002' + '61'.repeat(100)],
    ['a tagged field past the end', 1, '01' + '01' + '01' + '00' + '01' + '05' + 'ff01'],
    ['a count of tagged fields without their bytes', 1, '01' + '01' + '01' + 'ffffffff0f'],
    ['empty input', 0, ''],
  ])('%s is malformed', (_what, version, bytes) => {
    expect(() => decode(list, version, hex(bytes))).toThrow(/MR_PROTOCOL_MALFORMED/)
  })

  test('skips unknown tagged fields', () => {
    const known = Buffer.concat(encode(list, 1, { names: ['a'] }))
    const more = Buffer.concat([known.subarray(0, known.length - 1), hex('02' + '05' + '03' + 'aabbcc' + '63' + '00')])
    expect(decode(list, 1, more)).toEqual(decode(list, 1, known))
  })

  test('a tagged field that is shorter or longer than its announced size is malformed', () => {
    const bytes = Buffer.concat(encode(FetchRequest, 15, { replicaState: { replicaId: 1, replicaEpoch: 2 } }))
    const at = bytes.lastIndexOf(hex('010d00000001'))
    for (const size of [12, 14]) {
      const wrong = Buffer.concat([bytes, Buffer.alloc(8)])
      wrong[at + 1] = size
      expect(() => decode(FetchRequest, 15, wrong)).toThrow(/tagged field/)
    }
  })

  test('huge counts in a small buffer allocate little memory', () => {
    const bytes = Buffer.concat([Buffer.alloc(4096, 0xff), Buffer.from('ffffffff0f', 'hex')])
    const before = process.memoryUsage()
    for (const { declaration, version } of cases) survives(() => decode(declaration, version, bytes))
    const after = process.memoryUsage()
    expect(after.external + after.arrayBuffers - before.external - before.arrayBuffers).toBeLessThan(32 << 20)
  })

  test('all arrays of a message, including nested ones, share one limit of elements', () => {
    const inner = { numbers: [{ n: 1 }, { n: 2 }, { n: 3 }] }
    for (const version of [0, 1]) {
      const bytes = Buffer.concat(encode(list, version, { names: ['a', 'b'], inner }))
      expect(decode(list, version, bytes, 0, { maxElements: 5 })).toMatchObject({ inner })
      expect(() => decode(list, version, bytes, 0, { maxElements: 4 })).toThrow(
        /an array has 3 elements, but only 2 more are allowed.*MR_PROTOCOL_MALFORMED/,
      )
    }
  })

  test('a message with more topics than the limit is rejected before the first topic is read', () => {
    const bomb = (topics: number) => {
      const start = new Writer()
      start.uvarint(2)
      start.compactString('g', 'group')
      start.uvarint(topics + 1)
      return Buffer.concat([...start.finish(), Buffer.alloc(topics * 3, Buffer.from([1, 1, 0])), Buffer.alloc(3)])
    }
    expect(() => decode(OffsetFetchRequest, 8, bomb(MAX_REQUEST_ELEMENTS))).toThrow(/only 999999 more are allowed/)
    expect(decode(OffsetFetchRequest, 8, bomb(1000)).groups[0]!.topics!.length).toBe(1000)
  })

  test('an unknown version is rejected, and the error lists the supported versions', () => {
    expect(() => decode(FetchRequest, 3, Buffer.alloc(100))).toThrow(
      /FetchRequest does not support version 3, only 4-18/,
    )
    expect(() => encode(FetchRequest, 19, {})).toThrow(/MR_PROTOCOL_UNSUPPORTED_VERSION/)
    expect(() => encode(FetchRequest, 4.5, {})).toThrow(/MR_PROTOCOL_UNSUPPORTED_VERSION/)
  })
})

test('decodeVersioned accepts an unknown newer version only with lenient, and decodes it as the newest known version', () => {
  const one = message({ name: 'One', type: 'data', versions: '0-2', flexible: 'none', fields: { n: int32('0+') } })
  const bytes = encodeVersioned(one, 2, { n: 7 })
  expect(decodeVersioned(one, bytes)).toEqual({ version: 2, value: { n: 7 } })
  bytes.writeInt16BE(9, 0)
  expect(decodeVersioned(one, bytes, { lenient: true })).toEqual({ version: 9, value: { n: 7 } })
  expect(() => decodeVersioned(one, bytes)).toThrow(/MR_PROTOCOL_UNSUPPORTED_VERSION/)
})
