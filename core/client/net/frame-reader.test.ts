import fc from 'fast-check'
import { expect, test } from 'vitest'
import { FrameReader, MAX_FRAME_BYTES } from './frame-reader.ts'

function framed(frames: readonly Uint8Array[]): Buffer {
  return Buffer.concat(
    frames.flatMap(f => {
      const size = Buffer.alloc(4)
      size.writeInt32BE(f.length)
      return [size, f]
    }),
  )
}

test('frames are complete and in order, however the stream is divided into chunks', () => {
  fc.assert(
    fc.property(
      fc.array(fc.uint8Array({ minLength: 4, maxLength: 300 }), { maxLength: 12 }),
      fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1 }),
      (frames, cuts) => {
        const got: Buffer[] = []
        const reader = new FrameReader(f => got.push(f))
        const stream = framed(frames)
        for (let at = 0, i = 0; at < stream.length; i++) {
          const end = Math.min(stream.length, at + cuts[i % cuts.length]!)
          reader.push(stream.subarray(at, end))
          at = end
        }
        expect(got.map(f => [...f])).toEqual(frames.map(f => [...f]))
      },
    ),
  )
})

test('a frame within one chunk is not copied', () => {
  const got: Buffer[] = []
  const stream = framed([Buffer.from('abcdef')])
  new FrameReader(f => got.push(f)).push(stream)
  stream[4] = 'X'.charCodeAt(0)
  expect(String(got[0])).toBe('Xbcdef')
})

test.for([-1, 0, 3, MAX_FRAME_BYTES + 1, 0x48545450])(
  'a frame length of %d is rejected before memory is allocated',
  size => {
    const head = Buffer.alloc(4)
    head.writeInt32BE(size)
    const reader = new FrameReader(() => expect.unreachable())
    expect(() => reader.push(head)).toThrow(RangeError)
  },
)
