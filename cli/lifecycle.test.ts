import { expect, test } from 'vitest'
import { isDiskFull } from './lifecycle.ts'

test('isDiskFull finds ENOSPC at any depth in the causes of an error', () => {
  const full = Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' })
  expect(isDiskFull(full)).toBe(true)
  const between = new Error('cannot write to the metadata log', { cause: full })
  expect(isDiskFull(new Error('the broker did not start', { cause: between }))).toBe(true)
  expect(isDiskFull(new Error('no', { cause: Object.assign(new Error('no'), { code: 'EACCES' }) }))).toBe(false)
  expect(isDiskFull('ENOSPC')).toBe(false)
})
