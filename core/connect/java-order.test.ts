import { expect, test } from 'vitest'
import { keysInOrder, tableOf, tableOfCopy } from './java-map.ts'
import { inHashMapOrder, inJavaOrder } from './java-order.ts'
import type { Struct } from './schema.ts'

const keysOf = (n: number) => Array.from({ length: n }, (_, i) => `k${String.fromCharCode(97 + ((i * 7) % 26))}x${i}`)
const mapOf = (keys: readonly string[]): Struct => Object.fromEntries(keys.map((key, i) => [key, i]))

// The key order that Java 17 printed for HashMaps with these keys. 'copy' is new HashMap<>(map).
// 'capacity' is new HashMap<>(n), and 'empty' is new HashMap<>(), both filled in order.
const printed = [
  [2, 'copy', 'kax0 khx1'],
  [2, 'capacity', 'kax0 khx1'],
  [2, 'empty', 'khx1 kax0'],
  [3, 'copy', 'kax0 khx1 kox2'],
  [3, 'capacity', 'kax0 khx1 kox2'],
  [3, 'empty', 'khx1 kax0 kox2'],
  [6, 'copy', 'khx1 kvx3 kcx4 kax0 kox2 kjx5'],
  [6, 'capacity', 'kax0 khx1 kox2 kvx3 kcx4 kjx5'],
  [6, 'empty', 'khx1 kvx3 kcx4 kax0 kox2 kjx5'],
  [12, 'copy', 'khx1 kcx4 kex8 kox2 kjx5 klx9 kvx3 kzx11 kqx6 ksx10 kax0 kxx7'],
  [12, 'capacity', 'klx9 khx1 kvx3 kzx11 kcx4 kqx6 ksx10 kex8 kax0 kox2 kjx5 kxx7'],
  [12, 'empty', 'klx9 khx1 kvx3 kzx11 kcx4 kqx6 ksx10 kex8 kax0 kox2 kjx5 kxx7'],
  [13, 'copy', 'khx1 kcx4 kex8 kgx12 kox2 kjx5 klx9 kvx3 kzx11 kqx6 ksx10 kax0 kxx7'],
  [13, 'capacity', 'khx1 kcx4 kex8 kgx12 kox2 kjx5 klx9 kvx3 kzx11 kqx6 ksx10 kax0 kxx7'],
  [13, 'empty', 'khx1 kcx4 kex8 kgx12 kox2 kjx5 klx9 kvx3 kzx11 kqx6 ksx10 kax0 kxx7'],
] as const

test.each(printed)('%i keys have the order of a HashMap created by %s', (n, made, order) => {
  const table = { copy: tableOfCopy(n), capacity: tableOf(n), empty: undefined }[made]
  const ordered = inHashMapOrder(mapOf(keysOf(n)), table)
  expect(Object.keys(ordered)).toEqual(order.split(' '))
  expect(ordered).toEqual(mapOf(keysOf(n)))
})

test('the thousandth object with the same keys is ordered like the first, for any field names', () => {
  const text = String.raw`{"zeta":1,"__proto__":{"b":1,"a":[{"y":1,"x":null}]},"constructor":"c","a\"b\\":2,"\u2028]}":3,"${'`${x}`'}":4,"10":5,"":6}`
  const first = JSON.stringify(inJavaOrder(JSON.parse(text)))
  expect(JSON.parse(first)).toEqual(JSON.parse(text))
  for (let i = 0; i < 1500; i++) expect(JSON.stringify(inJavaOrder(JSON.parse(text)))).toBe(first)
  const value = inJavaOrder(JSON.parse(text)) as Struct
  expect(Object.getPrototypeOf(value)).toBe(Object.prototype)
  expect(Object.keys(value)).toContain('__proto__')
})

test('objects with many keys, and more shapes than the cache can hold, are also ordered', () => {
  for (let round = 0; round < 2; round++) {
    for (let i = 0; i < 3000; i++) {
      const ordered = inHashMapOrder({ [`zz${i}`]: 1, [`a${i}`]: 2, [`m${i}`]: 3 })
      expect(Object.values(ordered).reduce((a, b) => Number(a) + Number(b), 0)).toBe(6)
    }
  }
  const many = mapOf(keysOf(1000))
  expect(inHashMapOrder(many)).toEqual(many)
  expect(Object.keys(inHashMapOrder(many))).not.toEqual(Object.keys(many))
})

test('whole-number keys are written in the same position as in Java', () => {
  expect(keysInOrder({ 10: 1, 9: 2, x: 3 })).toEqual(['x', '9', '10'])
  expect(keysInOrder({ b: 1, a: 2 })).toEqual(['b', 'a'])
})
