import { expect, test } from 'vitest'
import { murmur2, toPositive } from './murmur2.ts'

test("murmur2 returns the values of Kafka's UtilsTest", () => {
  const cases: Record<string, number> = {
    '21': -973932308,
    foobar: -790332482,
    'a-little-bit-long-string': -985981536,
    'a-little-bit-longer-string': -1486304829,
    lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8: -58897971,
    abc: 479470107,
  }
  for (const [key, hash] of Object.entries(cases)) expect(murmur2(Buffer.from(key)), key).toBe(hash)
})

test('toPositive clears the sign bit', () => {
  expect(toPositive(-1)).toBe(0x7fffffff)
  expect(toPositive(-2147483648)).toBe(0)
  expect(toPositive(5)).toBe(5)
})
