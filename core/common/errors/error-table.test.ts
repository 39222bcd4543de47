import { expect, test } from 'vitest'
import { declaredErrors, defineErrors, isRetriable, MillraceError, messageOf } from './error-table.ts'

const errors = defineErrors({
  MR_TEST_HELD: { message: 'slot {slot} is held by {pid}', fix: 'Stop process {pid}.', retriable: true },
  MR_TEST_FINAL: { message: 'no more', fix: 'Give up.' },
  MR_TEST_OUTER: { message: 'the copy of {name} failed: {cause}', fix: 'Then copy {name} again.' },
})

test('a message says what failed and what to do, contains the code, and has no unfilled placeholders', () => {
  const cause = new Error('below')
  const error = errors.create('MR_TEST_HELD', { slot: 's', pid: 7 }, { cause })
  expect(error).toBeInstanceOf(MillraceError)
  expect(error.message).toBe('slot s is held by 7. Stop process 7. [MR_TEST_HELD]')
  expect(error).toMatchObject({ code: 'MR_TEST_HELD', retriable: true, params: { slot: 's', pid: '7' }, cause })
})

test('a message that contains the messages of causes says first what failed, and then what to do', () => {
  const inner = errors.create('MR_TEST_HELD', { slot: 's', pid: 7 })
  const middle = errors.create('MR_TEST_OUTER', { name: 'a', cause: inner.message }, { cause: inner })
  const message =
    'the copy of b failed: the copy of a failed: slot s is held by 7. ' +
    'Stop process 7. Then copy a again. Then copy b again. [MR_TEST_HELD] [MR_TEST_OUTER]'
  expect(errors.create('MR_TEST_OUTER', { name: 'b', cause: middle.message }, { cause: middle }).message).toBe(message)
  const wrapped = new Error('in a plugin', { cause: middle })
  expect(errors.create('MR_TEST_OUTER', { name: 'b', cause: middle.message }, { cause: wrapped }).message).toBe(message)
  // Another thread sends only the message.
  const sent = errors.create('MR_TEST_OUTER', { name: 'b', cause: inner.message })
  const once = 'the copy of b failed: slot s is held by 7. Stop process 7. Then copy b again.'
  expect(sent.message).toBe(`${once} [MR_TEST_HELD] [MR_TEST_OUTER]`)
  expect(sent).toMatchObject({ code: 'MR_TEST_OUTER', fix: 'Stop process 7. Then copy b again.' })
})

test('a cause with its own full stop, an unknown code or a cycle of causes does not break a message', () => {
  const text = (cause: string, options?: ErrorOptions) =>
    errors.create('MR_TEST_OUTER', { name: 'b', cause }, options).message
  expect(text('no space.')).toBe('the copy of b failed: no space. Then copy b again. [MR_TEST_OUTER]')
  expect(text('odd. Do it. [MR_TEST_ABSENT]')).toContain('odd. Do it. [MR_TEST_ABSENT]. Then')
  const round = new Error('round')
  round.cause = round
  expect(text('round', { cause: round })).toBe('the copy of b failed: round. Then copy b again. [MR_TEST_OUTER]')
})

test('a parameter that looks like a placeholder is not replaced', () => {
  expect(errors.create('MR_TEST_HELD', { slot: '{pid}', pid: 1 }).message).toContain('slot {pid} is held by 1')
})

test('declared errors are found by code, and invalid codes are rejected', () => {
  expect(declaredErrors().get('MR_TEST_FINAL')).toMatchObject({ fix: 'Give up.' })
  expect(() => defineErrors({ nonsense: { message: '', fix: '' } })).toThrow(/MR_MODULE_WHAT/)
})

test('isRetriable does not depend on the class of the error', () => {
  expect([errors.create('MR_TEST_HELD', { slot: 1, pid: 2 }), { retriable: true }].every(isRetriable)).toBe(true)
  expect(
    [errors.create('MR_TEST_FINAL', {}), new Error('x'), null, 'text', undefined, { retriable: 'yes' }].some(
      isRetriable,
    ),
  ).toBe(false)
})

test('messageOf returns a message for anything that was thrown', () => {
  expect(messageOf(new AggregateError([new Error('a'), new Error('b')]))).toBe('a; b')
  expect(messageOf(undefined)).toBe('undefined was thrown')
  expect(messageOf({ code: 5 })).toBe('an object was thrown that is not an Error: { code: 5 }')
  expect(messageOf({ message: 'no room' })).toBe('no room')
  expect(messageOf(new TypeError())).toBe('TypeError')
  expect(messageOf('')).not.toBe('')
  const hostile = {
    get message() {
      throw new Error('not even that')
    },
  }
  expect(messageOf(hostile)).toContain('cannot be converted to text')
})
