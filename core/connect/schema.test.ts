import { expect, test } from 'vitest'
import { decimal, timestamp } from './logical.ts'
import { array, field, map, primitive, schemasEqual, struct, withOptions } from './schema.ts'

const order = () =>
  struct(
    {
      id: primitive('int64'),
      total: decimal(2, { optional: true }),
      at: timestamp(),
      tags: array(primitive('string')),
      more: map(primitive('string'), primitive('int32', { default: 5 })),
    },
    { name: 'order', version: 1 },
  )

test('schemas with equal attributes are equal, and any difference makes them unequal', () => {
  expect(schemasEqual(order(), order())).toBe(true)
  expect(schemasEqual(order(), withOptions(order(), { optional: true }))).toBe(false)
  expect(schemasEqual(order(), withOptions(order(), { doc: 'x' }))).toBe(false)
  expect(schemasEqual(decimal(2), decimal(3))).toBe(false)
  expect(schemasEqual(array(primitive('int8')), array(primitive('int16')))).toBe(false)
  expect(schemasEqual(primitive('int32', { default: 1 }), primitive('int32'))).toBe(false)
  expect(schemasEqual(null, null)).toBe(true)
  expect(schemasEqual(null, order())).toBe(false)
})

test('fields keep their order and are found by name', () => {
  const schema = order()
  expect(schema.fields!.map(f => `${f.index} ${f.name}`)).toEqual(['0 id', '1 total', '2 at', '3 tags', '4 more'])
  expect(field(schema, 'at')?.schema.name).toBe('org.apache.kafka.connect.data.Timestamp')
  expect(field(schema, 'nope')).toBeUndefined()
})

test('a schema cannot be changed after it was created', () => {
  const schema = order()
  expect(() => Object.assign(schema, { name: 'other' })).toThrow(TypeError)
  expect(() => (schema.fields as unknown[]).push(1)).toThrow(TypeError)
})
