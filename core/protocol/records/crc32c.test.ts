import { crc32c as native } from '@node-rs/crc32'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { crc32c, crc32cInScript } from './crc32c.ts'

test('crc32c returns the values of RFC 3720', () => {
  expect(crc32c(Buffer.from('123456789'))).toBe(0xe3069283)
  expect(crc32c(Buffer.alloc(32))).toBe(0x8a9136aa)
  expect(crc32c(Buffer.alloc(32, 0xff))).toBe(0x62a8ab43)
  expect(crc32c(Buffer.from(Array.from({ length: 32 }, (_, i) => i)))).toBe(0x46dd794e)
  expect(crc32c(Buffer.alloc(0))).toBe(0)
})

test('crc32cInScript returns the same value as the native code, for any part of a buffer', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 600 }), fc.nat(), fc.nat(), (bytes, a, b) => {
      const buf = Buffer.from(bytes)
      const start = a % (buf.length + 1)
      const end = start + (b % (buf.length - start + 1))
      const expected = native(buf.subarray(start, end))
      expect(crc32cInScript(buf, start, end)).toBe(expected)
      expect(crc32c(buf, start, end)).toBe(expected)
    }),
  )
})
