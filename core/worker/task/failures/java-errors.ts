import { isRetriable, messageOf } from '../../../common/errors/error-table.ts'
import { redact } from './redact.ts'

const CONNECT = 'org.apache.kafka.connect.errors'

/** The Java classes that correspond to the errors with these names. */
const CLASSES: ReadonlyMap<string, string> = new Map([
  ['DataError', `${CONNECT}.DataException`],
  ['RetriableError', `${CONNECT}.RetriableException`],
  ['ConnectError', `${CONNECT}.ConnectException`],
  ['ConfigError', 'org.apache.kafka.common.config.ConfigException'],
])

/**
 * Returns the Java class that corresponds to an error. Consumers of dead letters can distinguish
 * errors by this class. An error may set it in `javaClass`. JavaScript's own errors, such as
 * TypeError, keep their names.
 */
export function javaClassOf(error: unknown): string {
  if (!(error instanceof Error)) return `${CONNECT}.ConnectException`
  if ('javaClass' in error && typeof error.javaClass === 'string') return error.javaClass
  const known = CLASSES.get(error.name)
  if (known !== undefined) return known
  if (!('code' in error && String(error.code).startsWith('MR_'))) return error.name
  return isRetriable(error) ? `${CONNECT}.RetriableException` : `${CONNECT}.ConnectException`
}

/**
 * Returns the stack trace of an error and of at most 9 causes in Java's format, without secrets.
 */
export function javaTraceOf(error: unknown): string {
  const parts: string[] = []
  let at: unknown = error
  for (let depth = 0; depth < 10 && at !== undefined && at !== null; depth++) {
    const head = `${javaClassOf(at)}: ${messageOf(at)}`
    parts.push((depth === 0 ? head : `Caused by: ${head}`) + framesOf(at))
    at = at instanceof Error ? at.cause : undefined
  }
  return redact(`${parts.join('\n')}\n`)
}

function framesOf(error: unknown): string {
  const stack = error instanceof Error ? (error.stack ?? '') : ''
  const frames = stack.split('\n').filter(line => /^\s+at /.test(line))
  return frames.map(line => `\n\tat ${line.trim().slice('at '.length)}`).join('')
}
