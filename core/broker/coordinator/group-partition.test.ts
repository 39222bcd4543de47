import { expect, test } from 'vitest'
import { groupPartition, javaHash } from './group-partition.ts'

test('javaHash returns the same hash as Java', () => {
  // The values that "...".hashCode() returns in Java 17.
  expect(javaHash('')).toBe(0)
  expect(javaHash('a')).toBe(97)
  expect(javaHash('connect-cluster')).toBe(1440343063)
  expect(javaHash('grüße-😀')).toBe(347391577)
  expect(javaHash('polygenelubricants')).toBe(-2147483648)
})

test('a group whose hash is the smallest integer belongs to partition 0, as in Kafka', () => {
  expect(groupPartition('polygenelubricants', 50)).toBe(0)
})
