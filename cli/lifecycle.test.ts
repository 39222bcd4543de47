import { expect, test } from 'vitest'
import { isDiskFull } from './lifecycle.ts'

test('a full disk is known by its cause, however often it was put into other words', () => {
  const full = Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' })
  expect(isDiskFull(full)).toBe(true)
  const told = new Error('cannot write to the metadata log', { cause: full })
  expect(isDiskFull(new Error('the broker did not start', { cause: told }))).toBe(true)
  expect(isDiskFull(new Error('no', { cause: Object.assign(new Error('no'), { code: 'EACCES' }) }))).toBe(false)
  expect(isDiskFull('ENOSPC')).toBe(false)
})
