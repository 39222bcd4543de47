import { MillraceError, messageOf } from '../../../core/connect/index.ts'
import { errors } from '../errors.ts'
import type { ConnectionOptions } from '../options.ts'

/** The SQLSTATE that a server gave, or the code of a socket's error; empty for others. */
export function codeOf(error: unknown): string {
  return typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string'
    ? error.code
    : ''
}

const SOCKET_CODES = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'ETIMEDOUT',
  'EPIPE',
  'EHOSTUNREACH',
  'EHOSTDOWN',
  'ENETUNREACH',
  'ENETDOWN',
  'ENOTFOUND',
  'EAI_AGAIN',
])

/** Server states that pass: shutting down, starting up, crashed, too many connections, serialization failures, lost connections. */
const PASSING = /^(57P0[1-5]|53[0-9A-Z]{3}|08[0-9A-Z]{3}|40[0-9A-Z]{3}|55006|25P03)$/

/** Whether trying again can help. */
export function isPassing(error: unknown): boolean {
  if (error instanceof MillraceError) return error.retriable
  const code = codeOf(error)
  if (SOCKET_CODES.has(code) || (PASSING.test(code) && !isSlotShortage(error))) return true
  return (
    code === '' &&
    /connection (terminated|error|ended)|Client was closed|not queryable|timeout|socket/i.test(messageOf(error))
  )
}

const isSlotShortage = (error: unknown) =>
  codeOf(error) === '53400' || (codeOf(error) === '53300' && /replication|wal sender/i.test(messageOf(error)))

/** A failed attempt to connect, in terms of the configuration. */
export function connectFailure(cause: unknown, o: ConnectionOptions): MillraceError {
  const { host, port, user, database } = o
  const code = codeOf(cause)
  const message = messageOf(cause)
  if (
    code === '28P01' ||
    (code === '28000' && !/replication/i.test(message)) ||
    /SASL|password must be a string/i.test(message)
  )
    return errors.create('MR_PG_AUTH_FAILED', { host, port, user, cause: message }, { cause })
  if (code === '3D000') return errors.create('MR_PG_DATABASE_MISSING', { host, port, database }, { cause })
  if (code === '42501' || (code === '28000' && /replication/i.test(message)))
    return errors.create('MR_PG_NO_REPLICATION_PRIVILEGE', { user }, { cause })
  if (isSlotShortage(cause)) return errors.create('MR_PG_SLOTS_EXHAUSTED', { cause: message }, { cause })
  if (/SSL|certificate|self.signed|ERR_TLS|key values mismatch|ENOENT/i.test(`${code} ${message}`))
    return errors.create('MR_PG_SSL', { host, port, mode: o.sslMode, cause: message }, { cause })
  return errors.create('MR_PG_CONNECT_FAILED', { host, port, cause: message }, { cause })
}

/** An error of the stream or of a query, in terms of the connector. */
export function streamFailure(cause: unknown, slot: string): MillraceError {
  if (cause instanceof MillraceError) return cause
  const code = codeOf(cause)
  const message = messageOf(cause)
  if (
    /can no longer (get|access) (changes|replication slot)|has been invalidated|requested WAL segment .* has already been removed/i.test(
      message,
    )
  )
    return errors.create('MR_PG_SLOT_INVALIDATED', { slot, cause: message }, { cause })
  if (code === '42704' && /slot/i.test(message))
    return errors.create('MR_PG_SLOT_MISSING', { slot, lsn: 'stored' }, { cause })
  if (code === '55006') {
    const pid = /PID (\d+)/i.exec(message)?.[1] ?? 'unknown'
    return errors.create('MR_PG_SLOT_IN_USE', { slot, pid }, { cause })
  }
  if (/publication "(.*)" does not exist/.test(message)) {
    const publication = /publication "(.*)" does not exist/.exec(message)![1]
    return errors.create('MR_PG_PUBLICATION_MISSING', { publication }, { cause })
  }
  // an exported snapshot goes with the connection that exported it; the next attempt takes another
  if (isPassing(cause) || /^(snapshot ".*" does not exist|invalid snapshot identifier)/.test(message))
    return errors.create('MR_PG_CONNECTION_LOST', { cause: message }, { cause })
  if (code === '42501') return errors.create('MR_PG_PERMISSION_DENIED', { what: 'a query', cause: message }, { cause })
  return errors.create(
    'MR_PG_QUERY_FAILED',
    { sqlstate: code || 'an error', what: 'the connector', cause: message },
    { cause },
  )
}
