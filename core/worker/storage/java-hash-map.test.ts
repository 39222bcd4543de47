import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { readHashMap, writeHashMap } from './java-hash-map.ts'

const golden = readFileSync(new URL('./fixtures/standalone.offsets', import.meta.url))

test("an offset file of Connect's standalone mode is read, and is rewritten byte for byte", () => {
  const entries = readHashMap(golden)
  expect(entries.map(([k, v]) => [k?.toString(), v?.toString()])).toEqual([
    ['["sa2",{"filename":"/tmp/h/in2.txt"}]', '{"position":4}'],
    ['["sa-Ã©",{"filename":"/tmp/h/in.txt"}]', '{"position":6}'],
  ])
  expect(writeHashMap(entries)).toEqual(golden)
})

test('all entries, including null and empty ones, are written and read back', () => {
  const bytes = fc.option(fc.uint8Array({ maxLength: 50 }).map(b => Buffer.from(b)))
  fc.assert(
    fc.property(fc.array(fc.tuple(bytes, bytes), { maxLength: 40 }), entries => {
      expect(readHashMap(writeHashMap(entries))).toEqual(entries)
    }),
  )
})

test('damaged bytes cause an error that names the byte, but no crash and no large allocation', () => {
  // Tries every byte value at every position.
  for (let at = 0; at < golden.length; at++) {
    for (let byte = 0; byte < 256; byte++) {
      const damaged = Buffer.from(golden)
      damaged[at] = byte
      try {
        readHashMap(damaged)
      } catch (error) {
        if (!/at byte \d+/.test((error as Error).message)) throw error
      }
    }
  }
  for (let end = 0; end < golden.length; end++) expect(() => readHashMap(golden.subarray(0, end))).toThrow(/at byte/)
})
