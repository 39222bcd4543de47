import { createPrivateKey } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { connect } from 'node:net'
import type { Duplex } from 'node:stream'
import type { ConnectionOptions as TlsOptions } from 'node:tls'
import { MillraceError, messageOf, orAbort } from 'millrace/connect'
import pg from 'pg'
import { errors } from '../errors.ts'
import type { ConnectionOptions } from '../options.ts'
import { codeOf, connectFailure, isPassing } from './failure.ts'

/**
 * Disables the timeouts that a role may have for its sessions, because a snapshot or the creation
 * of a slot may take any time. Skips the settings that older servers do not have.
 */
const NO_LIMITS = `select pg_catalog.set_config(name, '0', false) from pg_catalog.pg_settings
  where name in ('statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout', 'transaction_timeout', 'idle_session_timeout')`

/**
 * Sets the output formats that the decoders in types/ expect. These statements override the
 * settings of the server and of the user.
 */
export const SESSION = [
  "SET datestyle TO 'ISO, YMD'",
  "SET intervalstyle TO 'iso_8601'",
  'SET extra_float_digits TO 3',
  "SET bytea_output TO 'hex'",
  "SET timezone TO 'UTC'",
  "SET lc_monetary TO 'C'",
  NO_LIMITS,
].join('; ')

export interface OpenOptions {
  /** Whether the connection uses the streaming replication protocol. */
  readonly replication?: boolean
  /** The application_name of the connection, shown in pg_stat_activity. */
  readonly name: string
  readonly timeoutMs?: number
  readonly signal?: AbortSignal
}

function privateKey(o: ConnectionOptions): string {
  const bytes = readFileSync(o.sslKey!)
  const passphrase = o.sslPassword === null ? {} : { passphrase: o.sslPassword }
  const der = bytes[0] === 0x30
  const key = createPrivateKey(
    der ? { key: bytes, format: 'der', type: 'pkcs8', ...passphrase } : { key: bytes, ...passphrase },
  )
  return key.export({ type: 'pkcs8', format: 'pem' }).toString()
}

function tlsOf(o: ConnectionOptions): TlsOptions {
  const verify = o.sslMode === 'verify-ca' || o.sslMode === 'verify-full'
  return {
    rejectUnauthorized: verify || (o.sslMode === 'require' && o.sslRootCert !== null),
    ...(o.sslRootCert === null ? {} : { ca: readFileSync(o.sslRootCert, 'utf8') }),
    ...(o.sslCert === null ? {} : { cert: readFileSync(o.sslCert, 'utf8') }),
    ...(o.sslKey === null ? {} : { key: privateKey(o) }),
    // as in libpq, only verify-full checks the host name
    ...(o.sslMode === 'verify-full' ? {} : { checkServerIdentity: () => undefined }),
  }
}

/** Closes a connection. Destroys its socket if the server does not reply within half a second. */
export async function endClient(client: pg.Client): Promise<void> {
  const { stream } = (client as unknown as { connection: { stream: Duplex } }).connection
  const timer = setTimeout(() => stream.destroy(), 500)
  const closed = new Promise<void>(resolve => {
    if (stream.closed) resolve()
    else stream.once('close', () => resolve())
  })
  // an error means that the connection was already lost, so it is closed
  const ended = client.end().catch(() => undefined)
  await Promise.race([ended, closed])
  clearTimeout(timer)
}

/** A request with this number in place of the protocol version is a cancel request. */
const CANCEL = 80_877_102

/**
 * Asks the server to cancel the current statement of a connection. Without a cancel request, the
 * server does not notice a closed connection until the statement ends. Always resolves. If the
 * server cancels a statement, the connection receives an error.
 */
export function cancelWork(o: ConnectionOptions, client: pg.Client): Promise<void> {
  const { processID, secretKey } = client as unknown as { processID: number; secretKey: number }
  const request = Buffer.alloc(16)
  request.writeInt32BE(16, 0)
  request.writeInt32BE(CANCEL, 4)
  request.writeInt32BE(processID, 8)
  request.writeInt32BE(secretKey, 12)
  return new Promise(resolve => {
    const socket = connect(o.port, o.host)
    socket.setTimeout(1000, () => socket.destroy())
    socket.once('connect', () => socket.end(request))
    // if the server cannot be reached, there is no statement to cancel
    socket.once('error', () => {})
    socket.once('close', () => resolve())
    socket.resume()
  })
}

async function attempt(o: ConnectionOptions, open: OpenOptions, tls: boolean): Promise<pg.Client> {
  const config: pg.ClientConfig & { replication?: string } = {
    host: o.host,
    port: o.port,
    user: o.user,
    database: o.database,
    ssl: tls ? tlsOf(o) : false,
    keepAlive: o.keepAlive,
    keepAliveInitialDelayMillis: 30_000,
    application_name: open.name,
    connectionTimeoutMillis: open.timeoutMs ?? 30_000,
    // return values as text
    types: { getTypeParser: () => (value: unknown) => value },
    ...(o.password === null ? {} : { password: o.password }),
    ...(open.replication ? { replication: 'database' } : {}),
    ...(o.queryTimeoutMs > 0 && !open.replication ? { query_timeout: o.queryTimeoutMs } : {}),
  }
  const client = new pg.Client(config)
  // Without a listener, an error event would end the process. The next query or the owner of the
  // socket also receives the error.
  client.on('error', () => {})
  try {
    await orAbort(client.connect(), open.signal)
    return client
  } catch (error) {
    void endClient(client)
    throw error
  }
}

const NO_TLS_HERE = /does not support SSL/i
const TLS_WANTED = /no pg_hba\.conf entry|SSL off|no encryption/i

/**
 * Returns a connection with a prepared session. Its queries return values as text. Throws the
 * errors of `connectFailure`, or MR_PG_INITIAL_STATEMENTS.
 */
export async function openClient(o: ConnectionOptions, open: OpenOptions): Promise<pg.Client> {
  try {
    const client = await firstOf(o, open)
    const end = () => void endClient(client)
    open.signal?.addEventListener('abort', end, { once: true })
    try {
      await client.query(SESSION)
      if (!open.replication) for (const sql of o.initialStatements) await initialStatement(client, sql)
      return client
    } catch (error) {
      await endClient(client)
      throw error
    } finally {
      open.signal?.removeEventListener('abort', end)
    }
  } catch (error) {
    if (error instanceof MillraceError) throw error
    throw connectFailure(error, o, open.replication ?? false)
  }
}

async function initialStatement(client: pg.Client, sql: string): Promise<void> {
  try {
    await client.query(sql)
  } catch (cause) {
    if (isPassing(cause)) throw cause
    throw errors.create('MR_PG_INITIAL_STATEMENTS', { sqlstate: codeOf(cause), cause: messageOf(cause) }, { cause })
  }
}

/**
 * Returns a connection with or without TLS, as `database.sslmode` says. `prefer` uses TLS unless
 * the server does not support it. `allow` uses TLS only if the server rejects a connection without
 * it.
 */
async function firstOf(o: ConnectionOptions, open: OpenOptions): Promise<pg.Client> {
  switch (o.sslMode) {
    case 'disable':
      return attempt(o, open, false)
    case 'allow':
      try {
        return await attempt(o, open, false)
      } catch (error) {
        if (error instanceof Error && TLS_WANTED.test(error.message)) return attempt(o, open, true)
        throw error
      }
    case 'prefer':
      try {
        return await attempt(o, open, true)
      } catch (error) {
        if (error instanceof Error && NO_TLS_HERE.test(error.message)) return attempt(o, open, false)
        throw error
      }
    default:
      return attempt(o, open, true)
  }
}
