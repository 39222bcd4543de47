import assert from 'node:assert/strict'
import { test } from 'node:test'
import { configured, schemaFault } from 'millrace/testing'
import { CsvConverter } from '../src/csv-converter.ts'

const converter = configured(new CsvConverter(), { columns: 'id,name' })

test('an object becomes a line of CSV', () => {
  const line = (value: unknown) => converter.fromConnectData('t', null, value)?.toString()
  assert.equal(line({ id: 1, name: 'Ann', more: true }), '1,Ann')
  assert.equal(line({ id: 2, name: 'a "b", c' }), '2,"a ""b"", c"')
  assert.equal(line({ id: 3 }), '3,')
})

test('a line of CSV becomes a struct that matches its schema', () => {
  const { schema, value } = converter.toConnectData('t', Buffer.from('2,"a ""b"", c"'))
  assert.deepEqual(value, { id: '2', name: 'a "b", c' })
  assert.equal(schemaFault(schema, value), null)
})

test('null is converted to null in both directions', () => {
  assert.equal(converter.fromConnectData('t', null, null), null)
  assert.equal(converter.toConnectData('t', null).value, null)
})

test('values and lines that do not fit the columns are rejected', () => {
  assert.throws(() => converter.fromConnectData('t', null, 'text'), /needs an object/)
  assert.throws(() => converter.fromConnectData('t', null, { id: {} }), /without objects/)
  for (const line of ['1', '1,2,3', '1,"2']) {
    assert.throws(() => converter.toConnectData('t', Buffer.from(line)), /does not have 2 columns/)
  }
})
