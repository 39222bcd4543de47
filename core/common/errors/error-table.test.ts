import { expect, test } from 'vitest'
import { declaredErrors, defineErrors, isRetriable, MillraceError, messageOf } from './error-table.ts'

const errors = defineErrors({
  MR_TEST_HELD: { message: 'slot {slot} is held by {pid}', fix: 'Stop process {pid}.', retriable: true },
  MR_TEST_FINAL: { message: 'no more', fix: 'Give up.' },
})

test('a message says what failed, then what to do, then the code, with the particulars filled in', () => {
  const cause = new Error('below')
  const error = errors.create('MR_TEST_HELD', { slot: 's', pid: 7 }, { cause })
  expect(error).toBeInstanceOf(MillraceError)
  expect(error.message).toBe('slot s is held by 7. Stop process 7. [MR_TEST_HELD]')
  expect(error).toMatchObject({ code: 'MR_TEST_HELD', retriable: true, params: { slot: 's', pid: '7' }, cause })
})

test('what was put in is not taken for a placeholder again', () => {
  expect(errors.create('MR_TEST_HELD', { slot: '{pid}', pid: 1 }).message).toContain('slot {pid} is held by 1')
})

test('declared errors are known by code, and a code must look like one', () => {
  expect(declaredErrors().get('MR_TEST_FINAL')).toMatchObject({ fix: 'Give up.' })
  expect(() => defineErrors({ nonsense: { message: '', fix: '' } })).toThrow(/MR_ROOM_WHAT/)
})

test('whether an error may be retried is read off it, whatever its class', () => {
  expect([errors.create('MR_TEST_HELD', { slot: 1, pid: 2 }), { retriable: true }].every(isRetriable)).toBe(true)
  expect(
    [errors.create('MR_TEST_FINAL', {}), new Error('x'), null, 'text', undefined, { retriable: 'yes' }].some(
      isRetriable,
    ),
  ).toBe(false)
})

test('anything that was thrown has a message', () => {
  expect(messageOf(new AggregateError([new Error('a'), new Error('b')]))).toBe('a; b')
  expect(messageOf(undefined)).toBe('undefined')
  expect(messageOf(new TypeError())).toBe('TypeError')
  expect(messageOf('')).not.toBe('')
  const hostile = {
    toString() {
      throw new Error('not even that')
    },
  }
  expect(messageOf(hostile)).toContain('cannot be turned into text')
})
