import { type ChildProcess, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { chownSync, existsSync, openSync, readFileSync, realpathSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import pg from 'pg'
import { sleep } from '../../core/common/async/sleep.ts'
import { messageOf } from '../../core/common/errors/error-table.ts'
import { freePort, isTaken } from '../../core/common/free-port.ts'
import { makeDirs } from '../../core/common/make-dirs.ts'
import { errors } from '../errors.ts'
import { embeddedBinaries, isReachableBy, reachableBinaries, type User, unprivileged } from './postgres-binaries.ts'
import { postmasterPid, removeStalePidFile } from './postmaster-pid.ts'

/** The Postgres server of the demo. */
export interface EmbeddedPostgres {
  readonly port: number
  readonly url: string
  stop(): Promise<void>
}

function run(file: string, args: readonly string[], user: User | null, cwd: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, {
      cwd,
      stdio: ['ignore', 'ignore', 'pipe'],
      ...user,
      env: { ...process.env, LC_ALL: 'C', TZ: 'UTC' },
    })
    let said = ''
    child.stderr.on('data', chunk => (said = (said + chunk).slice(-2000)))
    child.on('error', reject)
    child.on('close', code => (code === 0 ? resolve() : reject(new Error(said.trim() || `exit ${code}`))))
  })
}

/**
 * Returns null if the server at `url` accepts queries and, if `data` is set, serves this directory.
 * Otherwise returns the reason.
 */
async function accepts(url: string, data?: string): Promise<string | null> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 2000 })
  try {
    await client.connect()
    const { rows } = await client.query<{ dir: string }>("select current_setting('data_directory') as dir")
    if (data === undefined || realpathSync(rows[0]!.dir) === realpathSync(data)) return null
    return `it serves ${rows[0]!.dir}`
  } catch (error) {
    return messageOf(error)
  } finally {
    await client.end().catch(() => undefined)
  }
}

async function waitUntilUp(child: ChildProcess, url: string, signal: AbortSignal): Promise<void> {
  const died = Promise.withResolvers<string>()
  child.once('exit', code => died.resolve(`it exited with code ${code}`))
  child.once('error', error => died.resolve(messageOf(error)))
  for (let last = '', n = 0; n < 300; n++) {
    signal.throwIfAborted()
    const refused = await accepts(url)
    if (refused === null) return
    last = refused
    const ended = await Promise.race([died.promise, sleep(100).then(() => null)])
    if (ended !== null) throw new Error(`${ended}; ${last}`)
  }
  throw new Error('it did not answer within 30 s')
}

/** The server that was started last. The file postgres.json describes it. */
interface LastServer {
  readonly url: string
  readonly port: number
  readonly pid: number
}

function lastServer(dir: string): LastServer | null {
  const info = join(dir, 'postgres.json')
  return existsSync(info) ? (JSON.parse(readFileSync(info, 'utf8')) as LastServer) : null
}

/**
 * Returns the port of the last start, so that the connector finds its database at once. If another
 * process uses that port, returns a free port.
 */
async function choosePort(dir: string): Promise<number> {
  const last = lastServer(dir)?.port
  return last !== undefined && !(await isTaken(last)) ? last : freePort()
}

/**
 * Returns the server that is still running on the directory `data`, because `millrace start` was
 * killed. Returns null if there is no such server.
 */
async function leftRunning(dir: string, data: string): Promise<EmbeddedPostgres | null> {
  const last = lastServer(dir)
  if (!last || postmasterPid(data) !== last.pid) return null
  const { url, port, pid } = last
  // The port may now belong to another server, and the pid to another program.
  if ((await accepts(url, data)) !== null) return null
  return {
    port,
    url,
    async stop() {
      // The server may have stopped, and its pid may belong to another program.
      if (postmasterPid(data) !== pid || (await accepts(url, data)) !== null) return
      process.kill(pid, 'SIGINT')
      // The server is not a child of this process, so there is no exit event. When the server has
      // stopped, its pid file no longer exists.
      for (let n = 0; n < 300 && postmasterPid(data) === pid; n++) await sleep(100)
    },
  }
}

/**
 * Starts Postgres with `wal_level=logical` on 127.0.0.1. Its data is in `dir`, or in /var/tmp if
 * its user cannot reach `dir`. The server has a separate process group, so that Ctrl-C does not
 * stop it before the connector that reads from it. Throws MR_CLI_*.
 */
export async function startEmbeddedPostgres(dir: string, signal: AbortSignal): Promise<EmbeddedPostgres> {
  const found = await embeddedBinaries()
  const user = unprivileged()
  // The user of the server needs access to all parent directories of the data and of the binaries.
  makeDirs(dir)
  if (user) chownSync(dir, user.uid, user.gid)
  let home = dir
  if (user && !isReachableBy(user, dir)) {
    home = join('/var/tmp', `millrace-demo-${createHash('sha256').update(dir).digest('hex').slice(0, 16)}`)
    makeDirs(home)
    chownSync(home, user.uid, user.gid)
  }
  const { initdb, postgres } = reachableBinaries(found, user, join(home, 'server'))
  const data = join(home, 'data')
  const log = join(home, 'postgres.log')
  const left = await leftRunning(dir, data)
  if (left) return left
  removeStalePidFile(data)
  const port = await choosePort(dir)
  try {
    if (!existsSync(join(data, 'PG_VERSION'))) {
      // The directory has a temporary name until it is complete, because initdb may be killed, and
      // a server cannot start on an incomplete directory.
      const part = `${data}.new`
      for (const old of [data, part]) rmSync(old, { recursive: true, force: true })
      await run(initdb, ['-D', part, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--no-locale'], user, home)
      signal.throwIfAborted()
      renameSync(part, data)
    }
    const settings = {
      listen_addresses: '127.0.0.1',
      port,
      unix_socket_directories: '',
      wal_level: 'logical',
      timezone: 'UTC',
    }
    const args = Object.entries(settings).flatMap(([key, value]) => ['-c', `${key}=${value}`])
    const out = openSync(log, 'a')
    const child = spawn(postgres, ['-D', data, ...args], {
      cwd: home,
      stdio: ['ignore', out, out],
      detached: true,
      ...user,
    })
    const url = `postgresql://postgres@127.0.0.1:${port}/postgres`
    const ended = new Promise<void>(resolve => child.once('exit', () => resolve()))
    try {
      await waitUntilUp(child, url, signal)
    } catch (error) {
      child.kill('SIGINT')
      throw error
    }
    writeFileSync(join(dir, 'postgres.json'), JSON.stringify({ url, port, pid: child.pid }))
    return {
      port,
      url,
      async stop() {
        // SIGINT asks Postgres for a fast shutdown.
        child.kill('SIGINT')
        await ended
      },
    }
  } catch (error) {
    if (signal.aborted) throw error
    throw errors.create('MR_CLI_POSTGRES_FAILED', { cause: messageOf(error), log, dir: home }, { cause: error })
  }
}
