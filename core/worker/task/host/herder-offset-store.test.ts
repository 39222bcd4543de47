import { expect, test } from 'vitest'
import { HerderOffsetStore, offsetKey } from './herder-offset-store.ts'
import type { HerderCall } from './messages-out.ts'

test("offsets are sent to the herder in Connect's JSON format, and are read back unchanged", async () => {
  const stored = new Map<string, string | null>()
  const calls: string[] = []
  const call = async (unit: string, { name, ...rest }: HerderCall): Promise<unknown> => {
    calls.push(`${unit} ${name}`)
    if ('keys' in rest) return rest.keys.map(k => stored.get(k) ?? null)
    for (const [k, v] of rest.entries) stored.set(k, v)
    return null
  }
  const store = new HerderOffsetStore('orders', 'task:orders-0', { call, event: () => undefined })
  const partition = { server: 'pg "1" 😀 \\u001f' }
  const offset = { lsn: 9007199254740993n, txId: 5, snapshot: true, note: '\u001f' }
  await store.put([
    [partition, offset],
    [{ server: 'removed' }, null],
  ])
  expect([...stored]).toEqual([
    [
      '["orders",{"server":"pg \\"1\\" \\uD83D\\uDE00 \\\\u001f"}]',
      '{"lsn":9007199254740993,"txId":5,"snapshot":true,"note":"\\u001F"}',
    ],
    ['["orders",{"server":"removed"}]', null],
  ])
  expect(await store.get([partition, { server: 'removed' }, { server: 'unknown' }])).toEqual([offset, null, null])
  expect(calls).toEqual(['task:orders-0 offsets-put', 'task:orders-0 offsets-get'])
  expect(offsetKey('orders', partition)).toBe([...stored.keys()][0])
})
