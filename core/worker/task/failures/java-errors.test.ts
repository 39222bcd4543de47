import { expect, test } from 'vitest'
import { ConfigError } from '../../../common/config/parse.ts'
import { defineErrors } from '../../../common/errors/error-table.ts'
import { ConnectError, DataError, RetriableError } from '../../../connect/errors.ts'
import { javaClassOf, javaTraceOf } from './java-errors.ts'

const table = defineErrors({
  MR_TEST_JAVA_ERRORS: { message: 'm', fix: 'f.' },
  MR_TEST_JAVA_ERRORS_LATER: { message: 'm', fix: 'f.', retriable: true },
})

class ForeignDataError extends Error {
  override name = 'DataError'
}

test.each<[unknown, string]>([
  [new DataError('x'), 'org.apache.kafka.connect.errors.DataException'],
  [new ForeignDataError('x'), 'org.apache.kafka.connect.errors.DataException'],
  [new RetriableError('x'), 'org.apache.kafka.connect.errors.RetriableException'],
  [new ConnectError('x'), 'org.apache.kafka.connect.errors.ConnectException'],
  [new ConfigError([{ key: 'k', message: 'x' }]), 'org.apache.kafka.common.config.ConfigException'],
  [new DataError('x', { javaClass: 'java.lang.IllegalArgumentException' }), 'java.lang.IllegalArgumentException'],
  [table.create('MR_TEST_JAVA_ERRORS', {}), 'org.apache.kafka.connect.errors.ConnectException'],
  [table.create('MR_TEST_JAVA_ERRORS_LATER', {}), 'org.apache.kafka.connect.errors.RetriableException'],
  [new TypeError('x'), 'TypeError'],
  ['text', 'org.apache.kafka.connect.errors.ConnectException'],
])('the Java class of %s is %s', (error, name) => {
  expect(javaClassOf(error)).toBe(name)
})

test("a stack trace has Java's format and contains the causes", () => {
  const lines = javaTraceOf(new DataError('two\nlines', { cause: new RetriableError('why') })).split('\n')
  expect(lines.slice(0, 2)).toEqual(['org.apache.kafka.connect.errors.DataException: two', 'lines'])
  expect(lines[2]).toMatch(/^\tat .*java-errors\.test\.ts:\d+:\d+/)
  expect(lines).toContain('Caused by: org.apache.kafka.connect.errors.RetriableException: why')
})
