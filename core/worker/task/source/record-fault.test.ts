import { expect, test } from 'vitest'
import { array, map, primitive, struct } from '../../../connect/schema.ts'
import { headersFault, schemaFault } from './record-fault.ts'

test("schemas that are built with the API's functions have no fault", () => {
  const inner = struct({ id: primitive('int32'), tags: array(primitive('string')) })
  expect(schemaFault(map(primitive('string'), inner), 'valueSchema')).toBeNull()
  expect(schemaFault(null, 'valueSchema')).toBeNull()
})

test.each([
  ['string', 'valueSchema is a string, not a schema. Build schemas with primitive(), struct(), array() and map()'],
  [{ type: 'uuid' }, 'valueSchema has the unknown type uuid'],
  [{ type: 'struct' }, 'valueSchema is a struct without a list of fields'],
  [{ type: 'struct', fields: [{ name: 'a', schema: { type: 'text' } }] }, 'valueSchema.a has the unknown type text'],
  [
    { type: 'array' },
    'valueSchema.valueSchema is undefined, not a schema. Build schemas with primitive(), struct(), array() and map()',
  ],
])('%o is rejected as a schema', (schema, fault) => {
  expect(schemaFault(schema, 'valueSchema')).toBe(fault)
})

test.each([
  [{ a: 1 }, 'headers is an Object, not a list'],
  [[null], 'headers[0] is null, not a header'],
  [[{ key: 5, value: 1 }], 'the key of headers[0] is a number, not a string'],
  [[{ key: 'k', schema: 'string', value: 1 }], 'the schema of headers[0] is a string, not a schema.'],
])('%o is rejected as a list of headers', (headers, fault) => {
  expect(headersFault(headers)).toContain(fault)
})

test('a header without a schema has no fault', () => {
  expect(headersFault([{ key: 'k', value: 1 }])).toBeNull()
})
