import { afterEach, expect, test } from 'vitest'
import { createLogger, effectiveLevel, type LogEntry, setLogLevel, setLogSink } from './log.ts'

const entries: LogEntry[] = []
afterEach(() => {
  entries.length = 0
  setLogSink(null)
  for (const name of ['a', 'a.b', 'root']) setLogLevel(name, null)
})

test("a logger uses its own level, or else its nearest ancestor's, or else the root's", () => {
  setLogLevel('root', 'ERROR')
  setLogLevel('a', 'DEBUG')
  setLogLevel('a.b', 'OFF')
  expect([effectiveLevel('a.c.d'), effectiveLevel('a.b.c'), effectiveLevel('x')]).toEqual(['DEBUG', 'OFF', 'ERROR'])
})

test('a log entry contains level, logger, context, message and the stack of an error', () => {
  setLogSink(e => entries.push(e))
  setLogLevel('root', 'INFO')
  const logger = createLogger('a.b').withContext('[orders|task-0] ')
  logger.debug('not shown')
  logger.info('shown')
  logger.error('failed', new Error('why'))
  expect(entries).toMatchObject([
    { level: 'INFO', logger: 'a.b', context: '[orders|task-0] ', message: 'shown' },
    {
      level: 'ERROR',
      message: 'failed',
      error: { type: 'Error', message: 'why', stack: expect.stringContaining('Error: why') },
    },
  ])
})

test('setting a level also affects existing loggers', () => {
  setLogSink(e => entries.push(e))
  setLogLevel('root', 'OFF')
  const logger = createLogger('a')
  logger.info('lost')
  setLogLevel('a', 'INFO')
  logger.info('kept')
  expect(entries.map(e => e.message)).toEqual(['kept'])
})

test('a message that is not a string is logged as text', () => {
  setLogSink(e => entries.push(e))
  const logger = createLogger('a')
  for (const message of [{ n: 1 }, undefined, new Error('why')]) logger.warn(message as never)
  expect(entries.map(e => e.message)).toEqual(['{ n: 1 }', 'undefined', 'why'])
})
