import { fstatSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { removeDir, tempDir } from '../test-support/logs.ts'
import { cachedFile, FdCache } from './fd-cache.ts'

let dir: string
beforeEach(() => {
  dir = tempDir()
})
afterEach(() => removeDir(dir))

const files = (n: number) =>
  Array.from({ length: n }, (_, i) => {
    writeFileSync(join(dir, `${i}`), `${i}`)
    return cachedFile(join(dir, `${i}`))
  })

test('the least recently used file is closed when the limit of open files is reached, and reopened on use', () => {
  const cache = new FdCache(3)
  const [a, b, c, d] = files(4)
  for (const f of [a!, b!, c!]) cache.fd(f)
  cache.fd(a!)
  cache.fd(d!)
  expect([a!.fd >= 0, b!.fd, c!.fd >= 0, d!.fd >= 0]).toEqual([true, -1, true, true])
  expect(fstatSync(cache.fd(b!)).size).toBe(1)
  expect(cache.openFiles).toBe(3)
  cache.releaseAll()
  expect(cache.openFiles).toBe(0)
})

test('a pinned file remains open until it is unpinned, even if the file was deleted', () => {
  const cache = new FdCache(1)
  const [a, b] = files(2)
  const fd = cache.pin(a!)
  cache.fd(b!)
  expect(a!.fd).toBe(fd)
  unlinkSync(a!.path)
  cache.release(a!)
  expect(fstatSync(fd).size).toBe(1)
  cache.unpin(a!)
  expect(a!.fd).toBe(-1)
  cache.releaseAll()
})
