import fc from 'fast-check'
import { expect, test } from 'vitest'
import { isProtocolError } from '../../protocol/errors.ts'
import { decodeRecord, record } from './records.ts'

test("a record has Kafka's frame: the frame version 1, the API key, the version, then the message", () => {
  // These bytes are from a log that Apache Kafka 4.3.1 wrote.
  const theirs = '010c00116d657461646174612e76657273696f6e001e00'
  const ours = record('FeatureLevel', { name: 'metadata.version', featureLevel: 30 })
  expect(ours.bytes.toString('hex')).toBe(theirs)
  expect(decodeRecord(Buffer.from(theirs, 'hex'))).toEqual(ours)
})

test('a decoded record has the values that were written, including defaults', () => {
  const made = record('PartitionChange', { topicId: 'SRUODZFdSQqGegZn0QSnKA', partitionId: 2, isr: [1, 2] })
  expect(decodeRecord(made.bytes)).toEqual(made)
  expect(made.value).toMatchObject({ leader: -2, replicas: null, isr: [1, 2] })
})

test('a record of an unknown type is decoded as Unknown, because a newer version may have written it', () => {
  const bytes = Buffer.from([1, 77, 0, 1, 2, 3])
  expect(decodeRecord(bytes)).toEqual({ kind: 'Unknown', apiKey: 77, version: 0, bytes })
})

test('decoding invalid bytes throws a ProtocolError or a RangeError, and no other error', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), bytes => {
      try {
        decodeRecord(Buffer.from(bytes))
      } catch (error) {
        expect(error instanceof RangeError || isProtocolError(error)).toBe(true)
      }
    }),
  )
})
