import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Line, LineSplitter } from './line-splitter.ts'

/**
 * Returns the expected lines, which a regular expression finds in the whole text. In latin1, each
 * byte is one character.
 */
function model(bytes: Buffer, from: number): Line[] {
  const lines: Line[] = []
  const ends = /\r\n|\n|\r(?=[\s\S])/g
  ends.lastIndex = from
  const latin = bytes.toString('latin1')
  for (let at = from, m = ends.exec(latin); m; m = ends.exec(latin)) {
    lines.push({ text: bytes.subarray(at, m.index).toString('utf8'), end: ends.lastIndex })
    at = ends.lastIndex
  }
  return lines
}

const piece = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom('\n', '\r\n', '\r', '\r\r\n', '\n\r') },
  { weight: 4, arbitrary: fc.constantFrom('a', 'line', 'ä', '€', '😀', '', ' ', '\u2028', '\ufeff') },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 30 }) },
)
const text = fc.array(piece, { maxLength: 60 }).map(parts => Buffer.from(parts.join('')))
const anyBytes = fc.uint8Array({ maxLength: 200 }).map(b => Buffer.from(b.map(x => (x < 60 ? 10 : x < 90 ? 13 : x))))
const file = fc.oneof(text, anyBytes)

/**
 * Reads the bytes in pieces whose sizes repeat `sizes`, and takes at most `max` lines at a time.
 */
function readAll(bytes: Buffer, from: number, sizes: readonly number[], max: number): Line[] {
  const splitter = new LineSplitter(from)
  const lines: Line[] = []
  for (let at = from, i = 0; at < bytes.length; i++) {
    const size = sizes[i % sizes.length]!
    splitter.add(Buffer.from(bytes.subarray(at, at + size)))
    at += size
    for (let some = splitter.take(max); some.length > 0; some = splitter.take(max)) {
      expect(some.length).toBeLessThanOrEqual(max)
      lines.push(...some)
      expect(splitter.position).toBe(some.at(-1)!.end)
    }
  }
  expect(splitter.position + splitter.pending).toBe(bytes.length)
  return lines
}

test('lines and positions do not depend on how the text is split into reads', () => {
  fc.assert(
    fc.property(file, fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 }), fc.nat(9), (bytes, sizes, max) => {
      expect(readAll(bytes, 0, sizes, max + 1)).toEqual(model(bytes, 0))
    }),
    { numRuns: 2000 },
  )
})

test('a reader that restarts at any line end continues with the next line', () => {
  fc.assert(
    fc.property(file, fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 }), (bytes, sizes) => {
      const all = model(bytes, 0)
      for (const [i, line] of all.entries()) expect(readAll(bytes, line.end, sizes, 5)).toEqual(all.slice(i + 1))
    }),
    { numRuns: 500 },
  )
})

test('takeRest returns the last line if it has no line end', () => {
  fc.assert(
    fc.property(file, fc.integer({ min: 1, max: 40 }), (bytes, size) => {
      const splitter = new LineSplitter(0)
      for (let at = 0; at < bytes.length; at += size) splitter.add(bytes.subarray(at, at + size))
      const lines = splitter.take(1e6)
      const rest = splitter.takeRest()
      const all = model(Buffer.concat([bytes, Buffer.from('\n')]), 0)
      // A file that ends with a line end has no unterminated line.
      const expected = /[\n]$/.test(bytes.toString('latin1')) || bytes.length === 0 ? all.slice(0, -1) : all
      expect([...lines, ...(rest ? [rest] : [])].map(l => l.text)).toEqual(expected.map(l => l.text))
      expect(splitter.position).toBe(bytes.length)
      expect(splitter.pending).toBe(0)
    }),
    { numRuns: 1000 },
  )
})

test('an overlong line is not returned, but the lines before it are', () => {
  fc.assert(
    fc.property(file, fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 12 }), (bytes, size, limit) => {
      const splitter = new LineSplitter(0, limit)
      const lines: Line[] = []
      for (let at = 0; at < bytes.length && !splitter.overlong; at += size) {
        splitter.add(bytes.subarray(at, at + size))
        lines.push(...splitter.take(1e6))
      }
      const all = model(bytes, 0)
      const starts = [0, ...all.map(l => l.end)]
      const lengthOf = (i: number) => {
        const end = /\r\n|\n|\r/.exec(bytes.toString('latin1').slice(starts[i]))
        return end ? end.index : bytes.length - starts[i]!
      }
      const bad = starts.findIndex((_, i) => lengthOf(i) > limit)
      expect(splitter.overlong).toBe(bad >= 0)
      expect(lines).toEqual(bad >= 0 ? all.slice(0, bad) : all)
      if (bad >= 0) expect(splitter.position).toBe(starts[bad])
    }),
    { numRuns: 1000 },
  )
})

test('overlong lines are skipped, however the reads are split, and the other lines keep their positions', () => {
  const file = fc.array(fc.constantFrom(97, 98, 10, 13), { maxLength: 60 }).map(b => Buffer.from(b))
  fc.assert(
    fc.property(file, fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 6 }), (bytes, size, limit) => {
      const splitter = new LineSplitter(0, limit)
      const lines: Line[] = []
      for (let at = 0; at < bytes.length; at += size) {
        splitter.add(bytes.subarray(at, at + size))
        for (;;) {
          if (splitter.skipping && !splitter.skipLine()) break
          lines.push(...splitter.take(1e6))
          if (!splitter.overlong) break
          splitter.skip()
        }
      }
      const whole = model(bytes, 0).filter(l => l.text.length <= limit)
      expect(lines).toEqual(whole)
    }),
    { numRuns: 2000 },
  )
})

test('an unfinished line can grow over many reads', () => {
  const splitter = new LineSplitter(0)
  for (let i = 0; i < 500; i++) {
    splitter.add(Buffer.alloc(1000, 'x'))
    expect(splitter.take(10)).toEqual([])
  }
  splitter.add(Buffer.from('\n'))
  expect(splitter.take(10)).toEqual([{ text: 'x'.repeat(500_000), end: 500_001 }])
})

test('a line of megabytes that grows by a few bytes at a time is not copied each time', () => {
  const splitter = new LineSplitter(0)
  const piece = Buffer.from('0123456789abcdef'.repeat(4))
  for (let n = 0; n < 131_072; n++) {
    splitter.add(piece)
    splitter.take(1)
  }
  splitter.add(Buffer.from('\nnext'))
  expect(splitter.take(10).map(l => [l.text.length, l.end])).toEqual([[8_388_608, 8_388_609]])
  splitter.add(Buffer.from('\n'))
  expect(splitter.take(10)).toEqual([{ text: 'next', end: 8_388_614 }])
})

test.each(['\n', '\r', '\r\n'])(
  'a megabyte of short lines that end in %j is searched once, and not once per line',
  end => {
    const splitter = new LineSplitter(0)
    const lines = 400_000
    splitter.add(Buffer.from(`x${end}`.repeat(lines)))
    let taken = 0
    for (let some = splitter.take(2000); some.length > 0; some = splitter.take(2000)) taken += some.length
    // A CR at the end may be the first half of a CR LF.
    expect(taken).toBe(end === '\r' ? lines - 1 : lines)
  },
  5000,
)
