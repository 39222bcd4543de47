import { MillraceError, messageOf } from 'millrace/connect'
import { errors } from '../errors.ts'
import type { ConnectionOptions } from '../options.ts'

/** Returns the SQLSTATE of a server error or the code of a socket error; empty for other errors. */
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

/**
 * SQLSTATEs of temporary errors: shutdown, startup, crash, lack of resources, serialization
 * failures, lost connections.
 */
const PASSING = /^(57P0[1-5]|53[0-9A-Z]{3}|08[0-9A-Z]{3}|40[0-9A-Z]{3}|55006|25P0[34]|72000)$/
/** SQLSTATEs of temporary errors that do not close the connection. */
const SHORTAGE = /^(53|40|72)/

/**
 * Returns the name of the server function that reported an error. The name does not depend on the
 * language of the server's messages.
 */
const routineOf = (error: unknown): string =>
  typeof error === 'object' && error !== null && 'routine' in error && typeof error.routine === 'string'
    ? error.routine
    : ''

/** Returns whether an error is temporary, so that a retry can succeed. */
export function isPassing(error: unknown): boolean {
  if (error instanceof MillraceError) return error.retriable
  const code = codeOf(error)
  if (SOCKET_CODES.has(code) || (PASSING.test(code) && !isSlotShortage(error))) return true
  return (
    code === '' &&
    /connection (terminated|error|ended)|Client was closed|not queryable|timeout|socket/i.test(messageOf(error))
  )
}

// The SQLSTATEs 53400 and 53300 have other causes too. The name of the server function, or of the
// setting in the message, shows the cause in every language.
const isSlotShortage = (error: unknown) =>
  (codeOf(error) === '53400' &&
    (routineOf(error) === 'ReplicationSlotCreate' || /replication slot/i.test(messageOf(error)))) ||
  (codeOf(error) === '53300' && /max_wal_senders/i.test(messageOf(error)))

/** Returns the connector's error for a failed connection attempt. */
export function connectFailure(cause: unknown, o: ConnectionOptions, replication: boolean): MillraceError {
  const { host, port, user, database } = o
  const code = codeOf(cause)
  const message = messageOf(cause)
  // check the code first, because a host or user name in the message can match any pattern below
  if (SOCKET_CODES.has(code)) return errors.create('MR_PG_CONNECT_FAILED', { host, port, cause: message }, { cause })
  if (/no pg_hba\.conf entry|pg_hba\.conf rejects/.test(message))
    return errors.create('MR_PG_HBA', { host, port, user, cause: message }, { cause })
  if (/valid client certificate/.test(message))
    return errors.create('MR_PG_SSL', { host, port, mode: o.sslMode, cause: message }, { cause })
  if (code === '28000' && /is not permitted to log in/.test(message))
    return errors.create('MR_PG_LOGIN_DENIED', { host, port, user, database, cause: message }, { cause })
  if (code === '28P01' || code === '28000' || /SASL|password must be a string/i.test(message))
    return errors.create('MR_PG_AUTH_FAILED', { host, port, user, cause: message }, { cause })
  if (code === '3D000') return errors.create('MR_PG_DATABASE_MISSING', { host, port, database }, { cause })
  if (code === '42501' && (routineOf(cause) === 'CheckMyDatabase' || !replication))
    return errors.create('MR_PG_LOGIN_DENIED', { host, port, user, database, cause: message }, { cause })
  if (code === '42501') return errors.create('MR_PG_NO_REPLICATION_PRIVILEGE', { user }, { cause })
  if (isSlotShortage(cause)) return errors.create('MR_PG_SLOTS_EXHAUSTED', { cause: message }, { cause })
  if (code === '53300')
    return errors.create('MR_PG_TOO_MANY_CONNECTIONS', { host, port, user, cause: message }, { cause })
  if (code.startsWith('ERR_TLS') || code.startsWith('ERR_OSSL') || code === 'ENOENT' || TLS.test(message))
    return errors.create('MR_PG_SSL', { host, port, mode: o.sslMode, cause: message }, { cause })
  return errors.create('MR_PG_CONNECT_FAILED', { host, port, cause: message }, { cause })
}

const TLS = /SSL|certificate|self.signed|key values mismatch/i

const INVALIDATED =
  /can no longer (get|access) (changes|replication slot)|has been invalidated|requested WAL segment .* has already been removed/i

/** Returns the connector's error for an error of the stream or of a query. */
export function streamFailure(cause: unknown, slot: string): MillraceError {
  if (cause instanceof MillraceError) return cause
  const code = codeOf(cause)
  const message = messageOf(cause)
  if (INVALIDATED.test(message)) return errors.create('MR_PG_SLOT_INVALIDATED', { slot, cause: message }, { cause })
  if (code === '42704' && (routineOf(cause) === 'ReplicationSlotAcquire' || /slot/i.test(message)))
    return errors.create('MR_PG_SLOT_MISSING', { slot, why: '', since: 'the committed offset' }, { cause })
  if (code === '55006') {
    const pid = /PID (\d+)/i.exec(message)?.[1] ?? 'unknown'
    return errors.create('MR_PG_SLOT_IN_USE', { slot, pid }, { cause })
  }
  if (code === '42704' && (routineOf(cause) === 'get_publication_oid' || /publication/i.test(message))) {
    const publication = /"(.*)"/.exec(message)?.[1] ?? 'unknown'
    return errors.create('MR_PG_PUBLICATION_MISSING', { publication }, { cause })
  }
  if (isSlotShortage(cause)) return errors.create('MR_PG_SLOTS_EXHAUSTED', { cause: message }, { cause })
  if (SHORTAGE.test(code)) return errors.create('MR_PG_UNAVAILABLE', { cause: message }, { cause })
  // an exported snapshot ends with its connection, and the next attempt exports another one
  if (isPassing(cause) || /^(snapshot ".*" does not exist|invalid snapshot identifier)/.test(message))
    return errors.create('MR_PG_CONNECTION_LOST', { cause: message }, { cause })
  if (isCanceled(cause)) return errors.create('MR_PG_CANCELED', { what: 'a query', cause: message }, { cause })
  if (isEncoding(cause)) return errors.create('MR_PG_ENCODING', { what: 'a change', cause: message }, { cause })
  if (code === '42501') return errors.create('MR_PG_PERMISSION_DENIED', { what: 'a query', cause: message }, { cause })
  return errors.create(
    'MR_PG_QUERY_FAILED',
    { sqlstate: code || 'an error', what: 'the connector', cause: message },
    { cause },
  )
}

/**
 * Whether a statement was canceled or timed out (57014), or timed out while waiting for a lock
 * (55P03).
 */
const isCanceled = (error: unknown): boolean => /^(57014|55P03)$/.test(codeOf(error))
/** Whether an error reports invalid text (22021), or text that UTF-8 cannot represent (22P05). */
const isEncoding = (error: unknown): boolean => /^(22021|22P05)$/.test(codeOf(error))

/** Returns the connector's error for a failed snapshot query of a table. */
export function snapshotFailure(
  cause: Error,
  query: { readonly table: string; readonly user: string; readonly isOverride: boolean },
): MillraceError {
  const { table, user, isOverride } = query
  const sqlstate = codeOf(cause)
  const of = { table, sqlstate, cause: cause.message }
  if (isPassing(cause)) return streamFailure(cause, '')
  if (isCanceled(cause))
    return errors.create('MR_PG_CANCELED', { what: `the snapshot of table ${table}`, cause: cause.message }, { cause })
  if (isEncoding(cause))
    return errors.create('MR_PG_ENCODING', { what: `a row of table ${table}`, cause: cause.message }, { cause })
  if (sqlstate === '42501') return errors.create('MR_PG_SNAPSHOT_DENIED', { ...of, user }, { cause })
  if (isOverride) return errors.create('MR_PG_SNAPSHOT_OVERRIDE', of, { cause })
  // the table was dropped or changed after the catalog was read
  if (/^(42P01|42703|3F000|0A000)$/.test(sqlstate)) return errors.create('MR_PG_SNAPSHOT_CHANGED', of, { cause })
  return errors.create('MR_PG_SNAPSHOT_QUERY', of, { cause })
}
