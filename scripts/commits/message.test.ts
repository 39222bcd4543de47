import { expect, test } from 'vitest'
import { faultsOf } from './message.ts'

test('a conventional subject with a reason in the body is accepted', () => {
  for (const message of [
    'fix(broker): reject a batch without a header\n\nIt made the scan read past its end.',
    'feat(connect)!: parse settings before start\n\nPlugins parsed them themselves.\n\nBREAKING CHANGE: start gets values.',
    'docs: say what a lock means',
    'test(faults): wait for the event, not for a second',
    'Merge branch main',
  ]) {
    expect(faultsOf(message)).toEqual([])
  }
})

test('other messages are rejected with the reason', () => {
  const subject = 'the subject must be "type(scope): what it does", with one of the types of CONTRIBUTING.md'
  expect(faultsOf('Fix the broker\n\nIt was wrong.')).toEqual([subject])
  expect(faultsOf('fixed(broker): it\n\nIt was wrong.')).toEqual([subject])
  expect(faultsOf('docs: a sentence.')).toEqual([subject])
  expect(faultsOf('fix(broker): reject it')).toEqual(['the body must give the reason'])
  expect(faultsOf('fix(broker): reject it\nbecause')).toEqual([
    'the second line must be empty',
    'the body must give the reason',
  ])
  expect(faultsOf(`docs: ${'x'.repeat(120)}`)).toEqual(['the subject has 126 characters, more than 110'])
})
