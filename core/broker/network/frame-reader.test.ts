import fc from 'fast-check'
import { expect, test } from 'vitest'
import { FrameReader } from './frame-reader.ts'

function framed(...bodies: Buffer[]): Buffer {
  const size = (n: number) => {
    const b = Buffer.alloc(4)
    b.writeInt32BE(n)
    return b
  }
  return Buffer.concat(bodies.flatMap(b => [size(b.length), b]))
}

function readAll(reader: FrameReader): Buffer[] {
  const frames: Buffer[] = []
  for (let f = reader.next(); f; f = reader.next()) frames.push(f)
  return frames
}

test('however a stream is cut into chunks, the same requests come out', () => {
  const bodies = fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 8 })
  const cuts = fc.array(fc.integer({ min: 1, max: 90 }), { minLength: 1, maxLength: 20 })
  fc.assert(
    fc.property(bodies, cuts, (given, sizes) => {
      const expected = given.map(b => Buffer.from(b))
      const stream = framed(...expected)
      const reader = new FrameReader(1000)
      const got: Buffer[] = []
      for (let at = 0, i = 0; at < stream.length; i++) {
        const end = at + sizes[i % sizes.length]!
        reader.push(stream.subarray(at, end))
        got.push(...readAll(reader))
        at = end
      }
      expect(got).toEqual(expected)
      expect(reader.partial).toBe(false)
    }),
  )
})

test('a request within one chunk is a slice of it: nothing is copied', () => {
  const chunk = framed(Buffer.from('one'), Buffer.from('two'))
  const reader = new FrameReader(100)
  reader.push(chunk)
  for (const frame of readAll(reader)) expect(frame.buffer).toBe(chunk.buffer)
})

test('a request larger than the first buffer arrives whole', () => {
  const body = Buffer.alloc(3_000_000, 'abcdefg')
  const stream = framed(body)
  const reader = new FrameReader(4_000_000)
  for (let at = 0; at < stream.length; at += 65_536) reader.push(stream.subarray(at, at + 65_536))
  expect(readAll(reader)[0]?.equals(body)).toBe(true)
})

test.each([-1, -2147483648, 1001, 2147483647])('a size of %i is refused before anything is allocated', size => {
  const header = Buffer.alloc(4)
  header.writeInt32BE(size)
  const reader = new FrameReader(1000)
  reader.push(header)
  expect(() => reader.next()).toThrow(/MR_BROKER_BAD_REQUEST/)
})

test('only Produce may be larger than 16 MiB: others are refused by their first bytes, however these come', () => {
  const start = (apiKey: number, size: number) => {
    const bytes = Buffer.alloc(300_000)
    bytes.writeInt32BE(size, 0)
    bytes.writeInt16BE(apiKey, 4)
    return bytes
  }
  const limit = 16 << 20
  const read = (bytes: Buffer, cuts: number[]) => {
    const reader = new FrameReader(100 << 20)
    let at = 0
    for (const cut of [...cuts, bytes.length]) {
      reader.push(bytes.subarray(at, cut))
      expect(reader.next()).toBe(null)
      at = cut
    }
  }
  for (const cuts of [[], [4], [5], [2, 5, 6], [6]]) {
    expect(() => read(start(9, limit + 1), cuts)).toThrow(
      /the limit is 16777216 for OffsetFetch.*MR_BROKER_BAD_REQUEST/,
    )
    read(start(9, limit), cuts)
    read(start(0, 90 << 20), cuts)
  }
})

test('a large announced size takes no memory until its bytes come', () => {
  const before = process.memoryUsage().arrayBuffers
  const readers = Array.from({ length: 250 }, () => {
    const reader = new FrameReader(100 << 20)
    const start = Buffer.alloc(10)
    start.writeInt32BE(100 << 20)
    reader.push(start)
    expect(reader.next()).toBe(null)
    return reader
  })
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(readers.length * 300_000)
})

test.each([
  ['HTTP', Buffer.from('GET / HTTP/1.1\r\n'), /looks like HTTP/],
  ['TLS', Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00]), /looks like TLS/],
])('who speaks %s is told so', (_, bytes, message) => {
  const reader = new FrameReader(104857600)
  reader.push(bytes)
  expect(() => reader.next()).toThrow(message)
})
