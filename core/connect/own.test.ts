import { expect, test } from 'vitest'
import { getField, propertyName, setField } from './own.ts'

test.each(['a', '', '7', 'ü€', '__proto__', 'constructor'])('a field named %j can be set and read', name => {
  const object = {}
  expect(getField(object, name)).toBeUndefined()
  setField(object, propertyName(name), 1)
  expect(propertyName(name)).toBe(name)
  expect(getField(object, name)).toBe(1)
  expect(Object.keys(object)).toEqual([name])
})
