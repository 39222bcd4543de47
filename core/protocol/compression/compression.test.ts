import { gzipSync, zstdCompressSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isProtocolError } from '../errors.ts'
import { type CompressionName, compress, compressionId, decompress, toCompressionType } from './index.ts'
import { xxhash32 } from './xxhash32.ts'

const CODECS = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const
const REAL = ['gzip', 'snappy', 'lz4', 'zstd'] as const
const LIMIT = 1 << 24

/** Data with different compression ratios: repetitive, random, and mixed. */
const data = fc
  .array(
    fc.oneof(
      fc.uint8Array({ maxLength: 300 }).map(bytes => Buffer.from(bytes)),
      fc
        .tuple(fc.string({ minLength: 1, maxLength: 30 }), fc.nat(400))
        .map(([text, n]) => Buffer.from(text.repeat(n + 1))),
    ),
    { maxLength: 40 },
  )
  .map(parts => Buffer.concat(parts))

describe.each(CODECS)('the codec %s', codec => {
  test('restores the original data', () => {
    fc.assert(
      fc.property(data, plain => {
        expect(decompress(codec, compress(codec, plain), LIMIT).equals(plain)).toBe(true)
      }),
      { numRuns: 60 },
    )
  })

  test('restores data that is longer than one block', () => {
    const lines = Array.from({ length: 20_000 }, (_, i) => `line ${i} ${Math.sin(i)}\n`).join('')
    const plain = Buffer.from(lines)
    expect(decompress(codec, compress(codec, plain), LIMIT).equals(plain)).toBe(true)
  })

  test('decompresses data of exactly the maximum size, and rejects longer data', () => {
    const plain = Buffer.from('some text that repeats. '.repeat(1000))
    const packed = compress(codec, plain)
    expect(decompress(codec, packed, plain.length).length).toBe(plain.length)
    expect(() => decompress(codec, packed, plain.length - 1)).toThrow(/MR_PROTOCOL_TOO_LARGE/)
  })
})

describe.each(REAL)('decompressing %s', codec => {
  test('damaged data causes a ProtocolError, or results in at most as many bytes as the limit', () => {
    fc.assert(
      fc.property(
        data,
        fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 }),
        fc.nat(),
        (plain, changes, cut) => {
          const packed = Buffer.from(compress(codec, plain))
          for (const [at, byte] of changes) if (packed.length > 0) packed[at % packed.length] = byte
          const bytes = cut % 3 === 0 ? packed.subarray(0, cut % (packed.length + 1)) : packed
          survives(codec, bytes)
        },
      ),
      { numRuns: 300 },
    )
  })

  test('random bytes cause a ProtocolError, or result in at most as many bytes as the limit', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), bytes => survives(codec, Buffer.from(bytes))),
      { numRuns: 300 },
    )
  })

  test('a decompression bomb is rejected, and allocates little more than the limit', () => {
    const bomb = compress(codec, Buffer.alloc(100 << 20))
    expect(bomb.length).toBeLessThan(8 << 20)
    const before = process.memoryUsage().arrayBuffers
    expect(() => decompress(codec, bomb, 1 << 20)).toThrow(/MR_PROTOCOL_TOO_LARGE/)
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(16 << 20)
  })
})

function survives(codec: CompressionName, bytes: Buffer): void {
  try {
    expect(decompress(codec, bytes, 1 << 16).length).toBeLessThanOrEqual(1 << 16)
  } catch (error) {
    if (!isProtocolError(error)) throw error
  }
}

describe('gzip and zstd', () => {
  test('consecutive gzip members or zstd frames are decompressed to one result', () => {
    const two = Buffer.concat([gzipSync('a'), gzipSync('b')])
    expect(decompress('gzip', two, 10).toString()).toBe('ab')
    const frames = Buffer.concat([zstdCompressSync('a'), zstdCompressSync('b')])
    expect(decompress('zstd', frames, 10).toString()).toBe('ab')
  })
})

describe('gzip', () => {
  test('trailing bytes after the last member are ignored, as in Java', () => {
    const two = Buffer.concat([gzipSync('a'), gzipSync('b')])
    for (const rest of ['00000000', '0707070707', '1f', '1f8b08'])
      expect(decompress('gzip', Buffer.concat([two, Buffer.from(rest, 'hex')]), 10).toString()).toBe('ab')
    const broken = Buffer.concat([two, gzipSync('c'.repeat(50)).subarray(0, -9)])
    expect(() => decompress('gzip', broken, 100)).toThrow(/MR_PROTOCOL_COMPRESSION/)
    const long = Buffer.concat([gzipSync('c'.repeat(50)), Buffer.alloc(9, 7)])
    expect(() => decompress('gzip', long, 49)).toThrow(/MR_PROTOCOL_TOO_LARGE/)
  })
})

describe('snappy', () => {
  test('a raw block without a stream header is decompressed', () => {
    // The block announces 11 bytes. It contains a literal of 4 bytes, then a copy of 7 bytes from
    // distance 4.
    const raw = Buffer.concat([Buffer.from([11, 3 << 2]), Buffer.from('abcd'), Buffer.from([((7 - 4) << 2) | 1, 4])])
    expect(decompress('snappy', raw, 100).toString()).toBe('abcdabcdabc')
  })

  test('consecutive streams are decompressed to one result', () => {
    const one = compress('snappy', Buffer.from('hello '))
    expect(decompress('snappy', Buffer.concat([one, one]), 100).toString()).toBe('hello hello ')
  })

  test.each([
    ['a length of 4 GiB', 'ffffffff0f00'],
    ['a length that does not end', 'ffffffffffff'],
    ['a literal past the end', '0afc ffffff7f'],
    ['a copy from before the start', '0800610504'],
    ['a copy with distance 0', '080061' + '0500'],
    ['fewer bytes than announced', '080061'],
    ['empty input', ''],
  ])('%s is rejected', (_what, hex) => {
    expect(() => decompress('snappy', Buffer.from(hex.replace(' ', ''), 'hex'), 1 << 20)).toThrow(/MR_PROTOCOL_/)
  })
})

describe('lz4', () => {
  /**
   * Returns a frame with these flags and blocks. `hex` contains the bytes of a block. A `stored`
   * block is not compressed.
   */
  function frame(flags: number, blocks: readonly { hex: string; stored?: boolean }[], plain: string): Buffer {
    const int32 = (n: number) => {
      const out = Buffer.alloc(4)
      out.writeUInt32LE(n >>> 0)
      return out
    }
    const size = flags & 0x08 ? [int32(plain.length), int32(0)] : []
    const descriptor = Buffer.concat([Buffer.from([0x40 | flags, 0x40]), ...size])
    const parts = [int32(0x184d2204), descriptor, Buffer.from([(xxhash32(descriptor) >>> 8) & 0xff])]
    for (const { hex, stored } of blocks) {
      const block = Buffer.from(hex, 'hex')
      parts.push(int32(stored ? block.length + 0x80000000 : block.length), block)
      if (flags & 0x10) parts.push(int32(xxhash32(block)))
    }
    parts.push(int32(0))
    if (flags & 0x04) parts.push(int32(xxhash32(Buffer.from(plain))))
    return Buffer.concat(parts)
  }

  const ABCD = { hex: Buffer.from('abcd').toString('hex'), stored: true }
  // The block starts with a match of 4 bytes from distance 4. It ends with the literal 'x'.
  const LINKED = { hex: '000400' + '1078' }

  test('a frame with linked blocks, a content size and both kinds of checksums is decompressed', () => {
    expect(decompress('lz4', frame(0x1c, [ABCD, LINKED], 'abcdabcdx'), 100).toString()).toBe('abcdabcdx')
  })

  test('a match that refers to another block is rejected if the frame declares independent blocks', () => {
    expect(() => decompress('lz4', frame(0x20, [ABCD, LINKED], ''), 100)).toThrow(/a match has distance 4/)
  })

  test('bytes after the first frame are ignored, as in Java', () => {
    const one = frame(0x20, [ABCD], '')
    expect(decompress('lz4', Buffer.concat([one, one]), 100).toString()).toBe('abcd')
    expect(decompress('lz4', Buffer.concat([one, Buffer.from('anything')]), 100).toString()).toBe('abcd')
  })

  test('a wrong checksum of the header, of a block or of the content is rejected', () => {
    const whole = frame(0x14, [ABCD], 'abcd')
    for (const at of [6, 15, whole.length - 1]) {
      const wrong = Buffer.from(whole)
      wrong[at]! ^= 1
      expect(() => decompress('lz4', wrong, 100)).toThrow(/checksum/)
    }
  })

  test.each([
    ['a dictionary', frame(0x01, [ABCD], '')],
    ['an unknown frame version', Buffer.from('04224d18' + '804000', 'hex')],
    ['a wrong content size', frame(0x08, [ABCD], 'abcde')],
    [
      'a block longer than the frame allows',
      Buffer.concat([frame(0x20, [], '').subarray(0, 7), Buffer.from('01000100', 'hex'), Buffer.alloc(65537)]),
    ],
    ['no magic', Buffer.from('hello world')],
    ['empty input', Buffer.alloc(0)],
  ])('%s is rejected', (_what, bytes) => {
    expect(() => decompress('lz4', bytes, 1 << 20)).toThrow(/MR_PROTOCOL_COMPRESSION/)
  })
})

test('xxhash32 returns the values of its specification', () => {
  // These values come from the documentation of the reference implementation (seed 0).
  expect(xxhash32(Buffer.alloc(0))).toBe(0x02cc5d05)
  expect(xxhash32(Buffer.from('a'))).toBe(0x550d7456)
  expect(xxhash32(Buffer.from('abc'))).toBe(0x32d153ff)
  expect(xxhash32(Buffer.from('Nobody inspects the spammish repetition'))).toBe(0xe2293b2f)
})

test('each codec has its number in the batch attributes, and other numbers are rejected', () => {
  expect(CODECS.map(compressionId)).toEqual([0, 1, 2, 3, 4])
  for (const id of [5, 6, 7]) expect(() => toCompressionType(id)).toThrow(/UNSUPPORTED_COMPRESSION_TYPE/)
})
