import { expect, test } from 'vitest'
import { jsonError } from './json-error.ts'

test.each([
  '{"password": hushhush}',
  '{"password":"hushhush" hushhush}',
  'hushhush',
  '["hushhush"',
  '{"a":"hush\nhush"}',
  '{"a":1}hush',
])('the error about the invalid JSON %j does not quote the JSON', text => {
  let message = ''
  try {
    JSON.parse(text)
  } catch (error) {
    message = jsonError(error)
  }
  expect(message).toMatch(/JSON|token/)
  expect(message).not.toMatch(/hush/)
})
