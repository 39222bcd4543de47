import assert from 'node:assert/strict'
import { test } from 'node:test'
import { primitive, struct } from 'millrace/connect'
import { completeRecord, configured, schemaFault } from 'millrace/testing'
import { AddField } from '../src/add-field.ts'

const transform = configured(new AddField(), { field: 'origin', text: 'shop' })

test('the field is added to an object without a schema', () => {
  const record = completeRecord({ topic: 't', value: { id: 1 } })
  assert.deepEqual(transform.apply(record).value, { id: 1, origin: 'shop' })
  assert.deepEqual(record.value, { id: 1 }, 'the original record is unchanged')
})

test('the field is added to a struct and to its schema, and the new schema is created only once', () => {
  const valueSchema = struct({ id: primitive('int32') })
  const [first, second] = [1, 2].map(id => transform.apply(completeRecord({ topic: 't', valueSchema, value: { id } })))
  assert.equal(schemaFault(first!.valueSchema, first!.value), null)
  assert.deepEqual(
    first!.valueSchema?.fields?.map(f => f.name),
    ['id', 'origin'],
  )
  assert.equal(first!.valueSchema, second!.valueSchema)
})

test('a tombstone stays a tombstone', () => {
  const tombstone = completeRecord({ topic: 't', key: 1, value: null })
  assert.equal(transform.apply(tombstone), tombstone)
})

test('a value that is not an object is rejected', () => {
  assert.throws(() => transform.apply(completeRecord({ topic: 't', value: 'text' })), /needs an object/)
})

test('a configuration without a field name is rejected', () => {
  assert.throws(() => configured(new AddField(), { text: 'x' }), /Missing required configuration "field"/)
})
