import { expect, test } from 'vitest'
import { ErrorCode, type ErrorName } from '../../protocol/error-codes.ts'
import { type BatchSituation, judge, type Verdict } from './verdict.ts'

const usual: BatchSituation = {
  idempotent: true,
  records: 10,
  exhausted: false,
  isOvertaken: false,
  mayBeWritten: false,
  isRenumbered: false,
  isNext: true,
}
const exhausted = { ...usual, exhausted: true }
const plain = { ...usual, idempotent: false }

test.for<[ErrorName, BatchSituation, Verdict]>([
  ['NONE', usual, 'acked'],
  ['DUPLICATE_SEQUENCE_NUMBER', usual, 'acked'],
  ['NOT_LEADER_OR_FOLLOWER', usual, 'retry'],
  ['NOT_LEADER_OR_FOLLOWER', exhausted, 'abandoned'],
  ['INVALID_RECORD', usual, 'rejected'],
  ['INVALID_RECORD', { ...usual, mayBeWritten: true }, 'abandoned'],
  ['INVALID_RECORD', { ...plain, mayBeWritten: true }, 'rejected'],
  ['TOPIC_AUTHORIZATION_FAILED', usual, 'rejected'],
  ['UNKNOWN_SERVER_ERROR', usual, 'abandoned'],
  ['UNKNOWN_SERVER_ERROR', plain, 'rejected'],
  ['MESSAGE_TOO_LARGE', usual, 'split'],
  ['MESSAGE_TOO_LARGE', { ...usual, records: 1 }, 'rejected'],
  ['UNKNOWN_PRODUCER_ID', usual, 'reset'],
  ['UNKNOWN_PRODUCER_ID', { ...usual, isRenumbered: true }, 'retry'],
  ['UNKNOWN_PRODUCER_ID', plain, 'rejected'],
  ['OUT_OF_ORDER_SEQUENCE_NUMBER', usual, 'reset'],
  ['OUT_OF_ORDER_SEQUENCE_NUMBER', { ...usual, isNext: false }, 'retry'],
  ['OUT_OF_ORDER_SEQUENCE_NUMBER', { ...usual, isRenumbered: true }, 'retry'],
  ['OUT_OF_ORDER_SEQUENCE_NUMBER', { ...usual, isNext: false, isOvertaken: true }, 'abandoned'],
  ['OUT_OF_ORDER_SEQUENCE_NUMBER', exhausted, 'abandoned'],
  ['INVALID_PRODUCER_EPOCH', usual, 'new-identity'],
  ['INVALID_PRODUCER_EPOCH', { ...usual, isRenumbered: true }, 'retry'],
])('after the error code %s in the situation %o, the verdict is %s', ([name, situation, verdict]) => {
  expect(judge({ errorCode: ErrorCode[name], logStartOffset: -1 }, situation)).toBe(verdict)
})
