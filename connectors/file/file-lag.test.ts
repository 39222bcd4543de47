import { expect, test } from 'vitest'
import { FileLag } from './file-lag.ts'

test('the lag counts bytes that are not read or not returned, and is 0 while the task waits for more', async () => {
  let unread: number | null = null
  let buffered = 0
  const lag = new FileLag({ unread: async () => unread, buffered: () => buffered })
  await lag.refresh()
  expect(lag.read()).toBeNull()
  unread = 100
  buffered = 20
  await lag.refresh()
  const behind = lag.read()
  expect(behind).toEqual({ bytes: 120, since: expect.any(Number) })
  // Everything is read, but some lines have not been returned yet.
  unread = 0
  await lag.refresh()
  expect(lag.read()).toEqual({ bytes: 20, since: behind!.since })
  // While the task waits, the buffer contains only an unfinished line.
  lag.waiting = true
  expect(lag.read()).toEqual({ bytes: 0, since: null })
  unread = 7
  await lag.refresh()
  expect(lag.read()!.since).toBeGreaterThanOrEqual(behind!.since!)
})

test('a paused task that has returned everything has no lag', async () => {
  let unread = 0
  const lag = new FileLag({ unread: async () => unread, buffered: () => 0 })
  await lag.refresh()
  expect(lag.read()).toEqual({ bytes: 0, since: null })
  unread = 5
  await lag.refresh()
  expect(lag.read()).toEqual({ bytes: 5, since: expect.any(Number) })
})

test('if the size of the file cannot be read, the lag is unknown', async () => {
  let fails = false
  const lag = new FileLag({
    unread: async () => {
      if (fails) throw new Error('EIO')
      return 1
    },
    buffered: () => 0,
  })
  await lag.refresh()
  expect(lag.read()).not.toBeNull()
  fails = true
  await lag.refresh()
  expect(lag.read()).toBeNull()
})
