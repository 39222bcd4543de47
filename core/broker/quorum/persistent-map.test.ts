import fc from 'fast-check'
import { expect, test } from 'vitest'
import { PersistentMap } from './persistent-map.ts'

/**
 * These keys contain two pairs with the same FNV-1a hash: costarring/liquid and
 * declinate/macallums.
 */
const KEYS = ['costarring', 'liquid', 'declinate', 'macallums', '', 'a', 'b', 'topic-1', 'topic-2', '__proto__']
const change = fc.record({ key: fc.constantFrom(...KEYS), value: fc.option(fc.nat(5), { nil: null }) })

function changed(map: PersistentMap<number>, changes: readonly { key: string; value: number | null }[]) {
  const draft = map.draft()
  for (const { key, value } of changes) {
    if (value === null) draft.delete(key)
    else draft.set(key, value)
  }
  return draft.result()
}

test('a PersistentMap behaves like a Map, and older versions of it do not change', () => {
  fc.assert(
    fc.property(fc.array(fc.array(change, { maxLength: 8 }), { maxLength: 8 }), batches => {
      const versions: { map: PersistentMap<number>; model: Map<string, number> }[] = []
      let map = PersistentMap.empty<number>()
      const model = new Map<string, number>()
      for (const batch of batches) {
        map = changed(map, batch)
        for (const { key, value } of batch) {
          if (value === null) model.delete(key)
          else model.set(key, value)
        }
        versions.push({ map, model: new Map(model) })
      }
      for (const v of versions) {
        expect(v.map.size).toBe(v.model.size)
        expect(new Map(v.map)).toEqual(v.model)
        for (const key of KEYS) {
          expect(v.map.get(key)).toBe(v.model.get(key))
          expect(v.map.has(key)).toBe(v.model.has(key))
        }
      }
    }),
  )
})

test('the order of entries depends only on the entries, not on the order of changes', () => {
  const names = Array.from({ length: 500 }, (_, i) => `t${i}`)
  const up = changed(
    PersistentMap.empty<number>(),
    names.map((key, value) => ({ key, value })),
  )
  const down = changed(
    changed(
      PersistentMap.empty<number>(),
      [...names, 'x', 'y'].reverse().map(key => ({ key, value: Number(key.slice(1)) || 0 })),
    ),
    ['x', 'y'].map(key => ({ key, value: null })),
  )
  expect([...down]).toEqual([...up])
})

test('changing a few entries creates only a few nodes, in a map of 100 or 100,000 entries', () => {
  const costs = [100, 100_000].map(size => {
    const map = changed(
      PersistentMap.empty<number>(),
      Array.from({ length: size }, (_, i) => ({ key: `t${i}`, value: i })),
    )
    const next = changed(map, [
      { key: 't7', value: -1 },
      { key: 't8', value: null },
      { key: 'new', value: 1 },
    ])
    expect(next.size).toBe(size)
    return next.unsharedNodes(map)
  })
  expect(costs[1]).toBeLessThan(24)
})
