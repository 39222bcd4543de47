import { expect, test } from 'vitest'
import { completeRecord } from './record.ts'

test('fields that a source omits become null, and every copy has the same fields in the same order', () => {
  const complete = completeRecord({ topic: 't', value: 1 })
  expect(complete).toEqual({
    topic: 't',
    value: 1,
    valueSchema: null,
    key: null,
    keySchema: null,
    partition: null,
    timestamp: null,
    headers: [],
    sourcePartition: null,
    sourceOffset: null,
  })
  const other = completeRecord({ value: 'x', sourceOffset: { n: 1 }, topic: 't', key: 'k' })
  expect(Object.keys(other)).toEqual(Object.keys(complete))
  expect(other).toMatchObject({ key: 'k', value: 'x', sourceOffset: { n: 1 } })
})

test('a record with all fields is not copied', () => {
  const record = completeRecord({ topic: 't', value: 1 })
  expect(completeRecord(record)).toBe(record)
})

test('a record with `unwritten` keeps its error', () => {
  const error = new Error('unreadable')
  expect(completeRecord({ topic: 't', value: null, unwritten: error }).unwritten).toBe(error)
  expect('unwritten' in completeRecord({ topic: 't', value: null })).toBe(false)
})
