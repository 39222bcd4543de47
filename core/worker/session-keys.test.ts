import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createLogger } from '../common/log.ts'
import { SessionKeys } from './session-keys.ts'
import { ConfigStore, MemoryConfigLog } from './storage/config-store.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

const HOUR = 3_600_000

async function setUp() {
  const configs = new ConfigStore(
    apply => new MemoryConfigLog(apply),
    () => {},
  )
  await configs.start()
  let failing = false
  const keys = new SessionKeys({
    configs: {
      state: configs.state,
      putSessionKey: async key => {
        if (failing) throw new Error('the log is away')
        await configs.putSessionKey(key)
      },
    },
    algorithm: 'HmacSHA256',
    bits: null,
    ttlMs: HOUR,
    logger: createLogger('test.keys'),
  })
  return { configs, keys, fail: (yes: boolean) => void (failing = yes), key: () => configs.state.sessionKey?.key }
}

test('a missing key is written, a valid key is not replaced, and an expired key is renewed', async () => {
  const { configs, keys, key } = await setUp()
  await keys.start()
  const first = key()
  expect(Buffer.from(first ?? '', 'base64')).toHaveLength(32)
  const again = new SessionKeys({
    configs,
    algorithm: 'HmacSHA256',
    bits: null,
    ttlMs: HOUR,
    logger: createLogger('test.keys'),
  })
  await vi.advanceTimersByTimeAsync(HOUR / 2)
  await again.start()
  expect(key(), 'a start finds it').toBe(first)
  await vi.advanceTimersByTimeAsync(HOUR / 2)
  const second = key()
  expect(second).not.toBe(first)
  keys.close()
  again.close()
  await vi.advanceTimersByTimeAsync(10 * HOUR)
  expect(key()).toBe(second)
})

test('a failed write of a key is retried, both at the start and at a renewal', async () => {
  const { keys, fail, key } = await setUp()
  fail(true)
  await keys.start()
  expect(key()).toBeUndefined()
  fail(false)
  await vi.advanceTimersByTimeAsync(60_000)
  const first = key()
  expect(first).toBeDefined()
  fail(true)
  await vi.advanceTimersByTimeAsync(HOUR)
  expect(key()).toBe(first)
  fail(false)
  await vi.advanceTimersByTimeAsync(60_000)
  expect(key()).not.toBe(first)
  keys.close()
})

test('a key whose creation time is far in the future is renewed', async () => {
  const { configs, keys, key } = await setUp()
  await configs.putSessionKey({ key: 'x', algorithm: 'HmacSHA256', createdAt: Date.now() + 100 * HOUR })
  await keys.start()
  expect(key()).not.toBe('x')
  keys.close()
})
