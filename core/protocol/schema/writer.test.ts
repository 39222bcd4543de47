import { expect, test } from 'vitest'
import { Writer } from './writer.ts'

/** Lengths near those at which a writer enlarges its buffer, in ascending order. */
const LENGTHS = Array.from({ length: 9 }, (_, k) => Array.from({ length: 9 }, (_, i) => 2 ** (13 + k) - 6 + i)).flat()

test.each([
  ['uvarint', (w: Writer) => w.uvarint(0x3fff), [0xff, 0x7f]],
  ['bool', (w: Writer) => w.bool(true), [1]],
  ['structPresent', (w: Writer) => w.structPresent(false), [0xff]],
  ['int8', (w: Writer) => w.int8(-2, 'x'), [0xfe]],
  ['int32', (w: Writer) => w.int32(-2, 'x'), [0xff, 0xff, 0xff, 0xfe]],
  ['string', (w: Writer) => w.compactString('ab', 'x'), [3, 97, 98]],
] as const)('%s is written at the right position when the buffer grows', (_, write, bytes) => {
  for (const length of LENGTHS) {
    const writer = new Writer()
    for (let i = 0; i < length; i++) writer.int8(0x55, 'filler')
    write(writer)
    expect([...Buffer.concat(writer.finish()).subarray(length)], `after ${length} bytes`).toEqual([...bytes])
  }
})
