import * as zlib from 'node:zlib'
import { beforeEach, expect, test, vi } from 'vitest'
import { decompress } from './index.ts'

// The mock counts the memory that node:zlib allocates for chunks. The real library processes the
// data.
const allocated = vi.hoisted(() => ({ bytes: 0 }))
vi.mock('node:zlib', async importOriginal => {
  const real = await importOriginal<typeof zlib>()
  const counting =
    <T>(run: (data: zlib.InputType, options?: { chunkSize?: number }) => T) =>
    (data: zlib.InputType, options?: { chunkSize?: number }): T => {
      allocated.bytes += options?.chunkSize ?? 0
      return run(data, options)
    }
  return {
    ...real,
    gunzipSync: counting(real.gunzipSync),
    inflateRawSync: counting(real.inflateRawSync),
    zstdDecompressSync: counting(real.zstdDecompressSync),
  }
})

beforeEach(() => {
  allocated.bytes = 0
})

const PARTS = 2000
const repeat = (part: Buffer, rest: string) => Buffer.concat([...Array<Buffer>(PARTS).fill(part), Buffer.from(rest)])

// In an earlier version, node:zlib allocated up to 1 MiB for each part. 1 MB of small parts then
// blocked a thread for 43 s.
test.each([
  ['gzip members with trailing bytes', 'gzip', repeat(zlib.gzipSync('a'), '\x07\x07'), PARTS],
  ['empty gzip members with trailing bytes', 'gzip', repeat(zlib.gzipSync(''), '\x07\x07'), 0],
  ['empty zstd frames', 'zstd', repeat(zlib.zstdCompressSync(''), ''), 0],
  ['zstd frames', 'zstd', repeat(zlib.zstdCompressSync('a'), ''), PARTS],
] as const)('many %s are decompressed with little memory for each', (_what, codec, data, length) => {
  expect(decompress(codec, data, 1 << 24).length).toBe(length)
  expect(allocated.bytes).toBeLessThan(PARTS * (16 << 10) + (2 << 20))
})
