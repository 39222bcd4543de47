import fc from 'fast-check'
import { expect, test } from 'vitest'
import { BufferPool } from '../../common/buffer-pool.ts'
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
  for (let f = reader.peek(); f; f = reader.peek()) {
    frames.push(f)
    reader.drop()
  }
  return frames
}

/**
 * Passes bytes to the reader as a socket does. Copies them to the buffer that the reader offers. If
 * the reader offers no buffer, passes a chunk that is overwritten immediately afterwards.
 */
function feed(reader: FrameReader, piece: Buffer): void {
  for (let at = 0; at < piece.length; ) {
    const buffer = reader.nextBuffer()
    if (buffer) {
      const count = Math.min(buffer.length, piece.length - at)
      piece.copy(buffer, 0, at, at + count)
      reader.received(count)
      at += count
    } else {
      const chunk = Buffer.from(piece.subarray(at))
      reader.push(chunk)
      chunk.fill(0xdb)
      at = piece.length
    }
  }
}

test('the reader returns the same requests, however the stream is split into chunks', () => {
  const body = fc.oneof(fc.uint8Array({ maxLength: 2 }), fc.uint8Array({ maxLength: 300 }))
  const bodies = fc.array(body, { maxLength: 8 })
  const cut = fc.oneof(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 90 }))
  const cuts = fc.array(cut, { minLength: 1, maxLength: 20 })
  fc.assert(
    fc.property(bodies, cuts, (given, sizes) => {
      const expected = given.map(b => Buffer.from(b))
      const stream = framed(...expected)
      const reader = new FrameReader(1000, new BufferPool())
      const got: Buffer[] = []
      for (let at = 0, i = 0; at < stream.length; i++) {
        const end = at + sizes[i % sizes.length]!
        feed(reader, stream.subarray(at, end))
        got.push(...readAll(reader))
        at = end
      }
      expect(got).toEqual(expected)
      expect(reader.partial).toBe(false)
    }),
    { numRuns: 500 },
  )
})

test('the reader returns the same large requests from pooled buffers, however the stream is split', () => {
  const sizes = fc.array(fc.integer({ min: 2, max: 1_500_000 }), { minLength: 1, maxLength: 6 })
  const cuts = fc.array(fc.integer({ min: 1, max: 400_000 }), { minLength: 1, maxLength: 20 })
  fc.assert(
    fc.property(sizes, cuts, fc.boolean(), (given, ends, isProduce) => {
      const bodies = given.map((size, i) => Buffer.alloc(size, `${i}:abcdefghij`))
      for (const body of bodies) body.writeInt16BE(isProduce ? 0 : 3)
      const pool = new BufferPool({ onGive: memory => memory.fill(0xdb) })
      const reader = new FrameReader(2_000_000, pool)
      const stream = framed(...bodies)
      let complete = 0
      for (let at = 0, i = 0; at < stream.length; i++) {
        const end = at + ends[i % ends.length]!
        feed(reader, stream.subarray(at, end))
        for (const frame of readAll(reader)) {
          expect(frame.equals(bodies[complete++]!)).toBe(true)
          expect(pool.owns(frame)).toBe(isProduce && frame.length >= 4096)
          if (pool.owns(frame)) pool.give(frame)
        }
        at = end
      }
      expect(complete).toBe(bodies.length)
    }),
    { numRuns: 30 },
  )
})

test('a complete request before an invalid one is returned', () => {
  const reader = new FrameReader(100, new BufferPool())
  reader.push(Buffer.concat([framed(Buffer.from('one')), Buffer.from([0x7f, 0, 0, 0])]))
  expect(String(reader.peek())).toBe('one')
  reader.drop()
  expect(reader.hasComplete).toBe(true)
  expect(() => reader.peek()).toThrow(/MR_BROKER_BAD_REQUEST/)
})

test('a request that is larger than the first buffer is returned completely', () => {
  const body = Buffer.alloc(3_000_000, 'abcdefg')
  const stream = framed(body)
  const reader = new FrameReader(4_000_000, new BufferPool())
  for (let at = 0; at < stream.length; at += 65_536) reader.push(stream.subarray(at, at + 65_536))
  expect(readAll(reader)[0]?.equals(body)).toBe(true)
})

test.each([-1, -2147483648, 1001, 2147483647])('a size of %i is rejected as soon as it has arrived', size => {
  const header = Buffer.alloc(4)
  header.writeInt32BE(size)
  const reader = new FrameReader(1000, new BufferPool())
  reader.push(header)
  expect(() => reader.peek()).toThrow(/MR_BROKER_BAD_REQUEST/)
})

test('requests over 16 MiB that are not Produce are rejected after their first six bytes, however those are split', () => {
  const start = (apiKey: number, size: number) => {
    const bytes = Buffer.alloc(300_000)
    bytes.writeInt32BE(size, 0)
    bytes.writeInt16BE(apiKey, 4)
    return bytes
  }
  const limit = 16 << 20
  const read = (bytes: Buffer, cuts: number[]) => {
    const reader = new FrameReader(100 << 20, new BufferPool())
    let at = 0
    for (const cut of [...cuts, bytes.length]) {
      reader.push(bytes.subarray(at, cut))
      expect(reader.peek()).toBe(null)
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

test('a request that announces a large size uses little memory until its bytes arrive', () => {
  const before = process.memoryUsage().arrayBuffers
  const readers = Array.from({ length: 250 }, () => {
    const reader = new FrameReader(100 << 20, new BufferPool())
    const start = Buffer.alloc(10)
    start.writeInt32BE(100 << 20)
    reader.push(start)
    expect(reader.peek()).toBe(null)
    return reader
  })
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(readers.length * 300_000)
})

test.each([
  ['HTTP', Buffer.from('GET / HTTP/1.1\r\n'), /looks like HTTP/],
  ['TLS', Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00]), /looks like TLS/],
])('the error names the protocol when a client speaks %s', (_, bytes, message) => {
  const reader = new FrameReader(104857600, new BufferPool())
  reader.push(bytes)
  expect(() => reader.peek()).toThrow(message)
})
