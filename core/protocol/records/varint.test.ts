import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  readVarint,
  readVarlong,
  readVarlongExactly,
  sizeOfVarint,
  sizeOfVarlong,
  varlongBytes,
  writeVarint,
  writeVarlong,
} from './varint.ts'

const int32 = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 })
/**
 * Integers for which all calculations are exact. Zigzag encoding doubles a number, so the limit is
 * 2^52.
 */
const exact = fc.oneof(int32, fc.integer({ min: -(2 ** 52), max: 2 ** 52 }))

/**
 * Returns the bytes of a varint as Protocol Buffers defines them ("Signed Integers"), calculated
 * with bigints.
 */
function reference(value: bigint): number[] {
  let rest = BigInt.asUintN(64, (value << 1n) ^ (value >> 63n))
  const bytes: number[] = []
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128)
  return [...bytes, Number(rest)]
}

test('varints are written and read as Protocol Buffers defines them', () => {
  fc.assert(
    fc.property(int32, value => {
      const buf = Buffer.alloc(16)
      const end = writeVarint(buf, 3, value)
      expect([...buf.subarray(3, end)]).toEqual(reference(BigInt(value)))
      expect(sizeOfVarint(value)).toBe(end - 3)
      const cursor = { pos: 3 }
      expect(readVarint(buf, cursor, end)).toBe(value)
      expect(cursor.pos).toBe(end)
    }),
  )
})

test('varlongs are written and read as Protocol Buffers defines them', () => {
  fc.assert(
    fc.property(exact, value => {
      const buf = Buffer.alloc(16)
      const end = writeVarlong(buf, 3, value)
      expect([...buf.subarray(3, end)]).toEqual(reference(BigInt(value)))
      expect(sizeOfVarlong(value)).toBe(end - 3)
      const cursor = { pos: 3 }
      expect(readVarlong(buf, cursor, end)).toBe(value)
      expect(cursor.pos).toBe(end)
    }),
  )
})

test('varlongs that a number cannot represent exactly are rounded, and have at most ten bytes', () => {
  for (const value of [2n ** 63n - 1n, -(2n ** 63n), 2n ** 60n + 3n, -(2n ** 55n) - 7n]) {
    const bytes = Buffer.from(reference(value))
    expect(readVarlong(bytes, { pos: 0 }, bytes.length)).toBe(Number(value))
  }
  for (const value of [2 ** 63, -(2 ** 63), 2 ** 70, -(2 ** 70)]) {
    const buf = Buffer.alloc(16)
    const end = writeVarlong(buf, 0, value)
    expect(end).toBe(10)
    expect(sizeOfVarlong(value)).toBe(10)
    expect(Math.sign(readVarlong(buf, { pos: 0 }, end))).toBe(Math.sign(value))
  }
})

test.each([
  ['five', readVarint, '808080808000'],
  ['ten', readVarlong, '8080808080808080808000'],
  ['ten', readVarlongExactly, '8080808080808080808000'],
])('a varint of more than %s bytes is malformed', (_what, read, hex) => {
  const buf = Buffer.from(hex, 'hex')
  expect(() => read(buf, { pos: 0 }, buf.length)).toThrow(/exceeds/)
})

test('bits above the 32nd or the 64th are dropped, as in Java', () => {
  const reads = (hex: string, read: typeof readVarint | typeof readVarlongExactly) => {
    const buf = Buffer.from(hex, 'hex')
    return read(buf, { pos: 0 }, buf.length)
  }
  expect(reads('feffffff7f', readVarint)).toBe(0x7fffffff)
  expect(reads('feffffff0f', readVarint)).toBe(0x7fffffff)
  expect(reads('feffffffffffffffff7f', readVarlongExactly)).toBe(2n ** 63n - 1n)
  expect(reads('8080808080808080807e', readVarlong)).toBe(0)
})

test('readVarlongExactly and varlongBytes do not round 64-bit integers', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), value => {
      const bytes = varlongBytes(value)
      expect([...bytes]).toEqual(reference(value))
      const cursor = { pos: 0 }
      expect(readVarlongExactly(bytes, cursor, bytes.length)).toBe(value)
      expect(cursor.pos).toBe(bytes.length)
    }),
  )
})

test.each([
  ['varint', readVarint],
  ['varlong', readVarlong],
])('a %s that extends past the end is malformed, whatever follows in the buffer', (_what, read) => {
  expect(() => read(Buffer.from([0x80, 0x80, 0x01]), { pos: 0 }, 2)).toThrow(/past the end/)
  expect(() => read(Buffer.alloc(3), { pos: 2 }, 2)).toThrow(/past the end/)
})
