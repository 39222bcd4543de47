import { expect, test } from 'vitest'
import { jsonError } from './json-error.ts'

test.each([
  '{"password": hushhush}',
  '{"password":"hushhush" hushhush}',
  'hushhush',
  '["hushhush"',
  '{"a":"hush\nhush"}',
  '{"a":1}hush',
])('what is wrong with %j is told without its text', text => {
  let told = ''
  try {
    JSON.parse(text)
  } catch (error) {
    told = jsonError(error)
  }
  expect(told).toMatch(/JSON|token/)
  expect(told).not.toMatch(/hush/)
})
