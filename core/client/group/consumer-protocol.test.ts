import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decodeAssignment, decodeSubscription, encodeAssignment, encodeSubscription } from './consumer-protocol.ts'

const partition = fc.record({ topic: fc.stringMatching(/^[a-z]{1,5}$/), partition: fc.nat(50) })

test('a subscription is encoded in version 3 of the consumer protocol, with sorted topics', () => {
  const bytes = encodeSubscription({
    topics: ['b', 'a'],
    userData: Buffer.from([1, 2]),
    ownedPartitions: [
      { topic: 'a', partition: 1 },
      { topic: 'a', partition: 0 },
    ],
    generationId: 4,
    rackId: null,
  })
  // These bytes come from ConsumerProtocol.serializeSubscription of kafka-clients 4.3.1.
  expect(bytes.toString('hex')).toBe(
    '0003' +
      '00000002' +
      '000161' +
      '000162' +
      '00000002' +
      '0102' +
      '00000001' +
      '000161' +
      '00000002' +
      '00000000' +
      '00000001' +
      '00000004' +
      'ffff',
  )
})

test('a subscription of version 0 is decoded without owned partitions', () => {
  const bytes = Buffer.from('0000' + '00000001' + '000174' + 'ffffffff', 'hex')
  expect(decodeSubscription(bytes, 'i')).toEqual({
    topics: ['t'],
    userData: null,
    ownedPartitions: [],
    generationId: -1,
    rackId: null,
    groupInstanceId: 'i',
  })
})

test('an assignment is encoded as by ConsumerProtocol.serializeAssignment of kafka-clients 4.3.1', () => {
  const partitions = [
    { topic: 'b', partition: 1 },
    { topic: 'a', partition: 0 },
    { topic: 'b', partition: 0 },
  ]
  expect(encodeAssignment(partitions).toString('hex')).toBe(
    '0003' +
      '00000002' +
      '000162' +
      '00000002' +
      '00000001' +
      '00000000' +
      '000161' +
      '00000001' +
      '00000000' +
      'ffffffff',
  )
})

test('an encoded assignment decodes to the same partitions, and an empty buffer to none', () => {
  expect(decodeAssignment(Buffer.alloc(0))).toEqual([])
  fc.assert(
    fc.property(fc.uniqueArray(partition, { selector: p => p.topic + p.partition }), partitions => {
      const names = (list: readonly { topic: string; partition: number }[]) =>
        list.map(p => p.topic + p.partition).sort()
      expect(names(decodeAssignment(encodeAssignment(partitions)))).toEqual(names(partitions))
    }),
  )
})
