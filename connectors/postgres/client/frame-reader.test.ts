import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ChunkQueue } from './chunk-queue.ts'
import { FrameReader } from './frame-reader.ts'

const frame = (type: number, payload: Uint8Array): Buffer => {
  const head = Buffer.alloc(5)
  head[0] = type
  head.writeInt32BE(payload.length + 4, 1)
  return Buffer.concat([head, payload])
}

test('the reader returns the same frames for chunks of any size', () => {
  const frames = fc.array(fc.tuple(fc.integer({ min: 1, max: 255 }), fc.uint8Array({ maxLength: 40 })), {
    maxLength: 20,
  })
  fc.assert(
    fc.property(frames, fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1 }), (list, cuts) => {
      const bytes = Buffer.concat(list.map(([t, p]) => frame(t, p)))
      const reader = new FrameReader()
      const out: [number, number[]][] = []
      for (let at = 0, i = 0; at < bytes.length; i++) {
        const size = cuts[i % cuts.length]!
        reader.push(bytes.subarray(at, at + size))
        at += size
        while (reader.next()) out.push([reader.type, [...reader.buf.subarray(reader.start, reader.end)]])
      }
      expect(out).toEqual(list.map(([t, p]) => [t, [...p]]))
    }),
  )
})

test('a frame with an invalid length causes an error before memory is allocated for the frame', () => {
  for (const length of [-1, 3, 2 ** 31 - 1]) {
    const reader = new FrameReader()
    const head = Buffer.alloc(5, 0x64)
    head.writeInt32BE(length, 1)
    reader.push(head)
    expect(() => reader.next()).toThrow(/MR_PG_PROTOCOL/)
  }
})

test('a full queue pauses its socket, and resumes the socket when half of the queue has been read', async () => {
  const calls: string[] = []
  const queue = new ChunkQueue({ pause: () => calls.push('pause'), resume: () => calls.push('resume') }, 100)
  for (let i = 0; i < 3; i++) queue.push(Buffer.alloc(40))
  expect(calls).toEqual(['pause'])
  queue.shift()
  expect(calls).toEqual(['pause'])
  queue.shift()
  expect(calls).toEqual(['pause', 'resume'])
  expect(queue.bytes).toBe(40)
})

test('a queue returns all its chunks before it throws the error of its socket', async () => {
  const queue = new ChunkQueue({ pause: () => {}, resume: () => {} }, 100)
  queue.push(Buffer.from('a'))
  queue.fail(new Error('gone'))
  expect(queue.shift()?.toString()).toBe('a')
  expect(() => queue.shift()).toThrow('gone')
  await queue.wait(AbortSignal.timeout(1000))
})

test('a wait for a chunk ends when a chunk arrives, the time is over, or the signal aborts', async () => {
  const queue = new ChunkQueue({ pause: () => {}, resume: () => {} }, 100)
  const data = queue.wait(AbortSignal.timeout(5000))
  queue.push(Buffer.from('a'))
  await data
  queue.shift()
  await queue.wait(AbortSignal.timeout(5000), 5)
  const abort = new AbortController()
  const aborted = queue.wait(abort.signal)
  abort.abort(new Error('stop'))
  await expect(aborted).rejects.toThrow('stop')
})
