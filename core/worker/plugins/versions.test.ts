import { expect, test } from 'vitest'
import { compareVersions, parseRange } from './versions.ts'

test('versions are sorted as in Maven', () => {
  const order = ['1.0-alpha', '1.0-beta2', '1.0-rc1', '1.0-SNAPSHOT', '1.0', '1.0-sp', '1.0.1', '1.2', '1.10', '2']
  for (let i = 1; i < order.length; i++) {
    expect(compareVersions(order[i - 1]!, order[i]!), `${order[i - 1]} < ${order[i]}`).toBeLessThan(0)
    expect(compareVersions(order[i]!, order[i - 1]!)).toBeGreaterThan(0)
  }
  expect(compareVersions('1.0', '1.0.0')).toBe(0)
  expect(compareVersions('3.7.0.Final', '3.7.0')).toBe(0)
  expect(compareVersions('1.0.0+build', '1.0.0')).toBe(0)
})

test('a range contains the versions between its limits', () => {
  const fits = (range: string, ...versions: string[]) => versions.filter(v => parseRange(range)!.contains(v))
  const all = ['0.9', '1.0', '1.5', '2.0', '2.1']
  expect(fits('1.0', ...all)).toEqual(['1.0'])
  expect(fits('[1.0,2.0)', ...all)).toEqual(['1.0', '1.5'])
  expect(fits('(1.0,2.0]', ...all)).toEqual(['1.5', '2.0'])
  expect(fits('(,1.0],[2.0,)', ...all)).toEqual(['0.9', '1.0', '2.0', '2.1'])
  expect(fits('[1.5]', ...all)).toEqual(['1.5'])
  expect(parseRange('9')!.text).toBe('[9,9]')
})

test('"latest" and an empty range match every version, and invalid ranges are rejected', () => {
  for (const text of ['', ' ', 'latest', null, undefined]) expect(parseRange(text)).toBe(null)
  for (const text of ['[1', '1,2', '(1)', '[1,2', 'a b', '[1;2]'])
    expect(() => parseRange(text), text).toThrow(/is not a version/)
})
