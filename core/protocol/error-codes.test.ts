import { expect, test } from 'vitest'
import { isRetriable } from '../common/errors/error-table.ts'
import { ErrorCode, errorFor, errorName, isRetriableCode, KafkaError, kafkaCodeOf } from './error-codes.ts'
import { isProtocolError, malformed } from './errors.ts'

test('every error code has a name, and an unknown code is shown with its number', () => {
  expect(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION).toBe(3)
  expect(ErrorCode.UNKNOWN_SERVER_ERROR).toBe(-1)
  for (const [name, code] of Object.entries(ErrorCode)) expect(errorName(code)).toBe(name)
  expect(errorName(9999)).toBe('ERROR_9999')
})

test("errorFor returns an error with the code, Kafka's message and whether to retry", () => {
  const error = errorFor(ErrorCode.NOT_LEADER_OR_FOLLOWER)
  expect(error).toBeInstanceOf(KafkaError)
  expect(error).toMatchObject({ kafkaCode: 6, retriable: true })
  expect(isRetriable(error)).toBe(true)
  expect(error.message).toMatch(/^NOT_LEADER_OR_FOLLOWER: /)
  expect(isRetriableCode(ErrorCode.TOPIC_AUTHORIZATION_FAILED)).toBe(false)
  expect(errorFor(ErrorCode.INVALID_TOPIC_EXCEPTION, 'Topic name x is bad.').detail).toBe('Topic name x is bad.')
})

test('kafkaCodeOf returns a code for every error', () => {
  expect(kafkaCodeOf(errorFor(ErrorCode.REBALANCE_IN_PROGRESS))).toBe(27)
  expect(kafkaCodeOf(malformed('x', 'y'))).toBe(ErrorCode.CORRUPT_MESSAGE)
  for (const other of [new Error('x'), null, 'text', undefined]) expect(kafkaCodeOf(other)).toBe(-1)
  expect(isProtocolError(new Error('x'))).toBe(false)
})
