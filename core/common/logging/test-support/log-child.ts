/** A process that logs, for logging.test.ts: `node log-child.ts SCENARIO`. */
import { createLogger } from '../../log.ts'

const logger = createLogger('millrace.test')
const [scenario, count = '0'] = process.argv.slice(2)
const many = (n: number) => {
  for (let i = 0; i < n; i++) logger.info(`line ${i}`)
}

switch (scenario) {
  case 'exit':
    many(Number(count))
    // At this point a write may still be pending, and the last lines have not been written.
    setImmediate(() => {
      many(3)
      process.on('exit', () => logger.warn('while exiting'))
      process.exit(3)
    })
    break
  case 'uncaught':
    many(Number(count))
    throw new Error('nobody catches this')
  case 'stalled': {
    // This makes the pipe non-blocking, as the millrace command does.
    process.stderr.on('error', () => {}).write('')
    const timer = setInterval(() => many(2000), 1)
    process.on('message', message => {
      if (message === 'count') process.send?.('the event loop turns')
      if (message === 'enough') clearInterval(timer)
      if (message === 'end') process.exit(0)
    })
    break
  }
  case 'entries': {
    const task = logger.withContext('[orders|task-0] ', { connector: 'orders', task: 0 })
    const cause = Object.assign(new Error('connect failed'), { code: 'ECONNREFUSED', config: { password: 'secret' } })
    task.info('shown')
    task.error('failed', new TypeError('why', { cause }))
    task.warn('failed with', cause)
    logger.withContext('[GroupCoordinator] ').warn('two\nlines')
    logger.debug('below the level')
    break
  }
}
