import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { utimes } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { sleep } from '../../common/async/sleep.ts'
import { messageOf } from '../../common/errors/error-table.ts'
import { makeDirs } from '../../common/make-dirs.ts'
import { brokerErrors } from '../errors.ts'
import { lockedByKernel } from './kernel-lock.ts'
import { claim, renewedAt, takeOver, textOf } from './lock-file.ts'
import { judge, type LockOwner, ownerText, parseOwner, thisProcess } from './owner.ts'

const LOCK = '.lock'
/**
 * The maximum number of attempts to take a lock that other processes take and release at the same
 * time.
 */
const TRIES = 200
const TRY_AGAIN_MS = 25

/**
 * The interval at which an owner renews its lock, and the times without a renewal after which
 * another broker takes over the lock.
 */
export interface Heartbeat {
  readonly everyMs: number
  /** The time for an owner in another container on this machine, which has the same clock. */
  readonly silenceMs: number
  /**
   * The time for an owner that may be on another machine. It is measured from the first check of
   * the lock, because the clock of that machine may differ.
   */
  readonly remoteSilenceMs: number
}

const HEARTBEAT: Heartbeat = { everyMs: 2_000, silenceMs: 10_000, remoteSilenceMs: 30_000 }

export interface LockOptions {
  readonly heartbeat?: Heartbeat
  /**
   * Called when the broker waits for the lock of another process, takes over a lock, or cannot
   * renew its lock.
   */
  readonly warn?: (message: string) => void
  /**
   * Called when another broker has taken the lock of a directory. This broker must then stop
   * writing to its directories.
   */
  readonly onLost?: (dir: string) => void
}

/** The directories that brokers in this process have locked or are locking. */
const heldHere = new Set<string>()
let taken = 0

/**
 * Locks directories for this process, and returns a function that releases the locks. Node has no
 * file locks. Therefore each directory gets a `.lock` file that names the process, and that the
 * process renews every two seconds. A broker takes over the lock of a process that has exited, for
 * example after kill -9. This happens at once if the system shows that the process has exited, and
 * otherwise after a time without renewals. If several processes try at the same time, one of them
 * gets the lock. Throws MR_BROKER_DIR_LOCKED, MR_BROKER_DIR_LOCKED_ELSEWHERE or
 * MR_BROKER_DIR_UNWRITABLE.
 */
export async function lockDirs(dirs: readonly string[], o: LockOptions = {}): Promise<() => void> {
  const held: string[] = []
  let timer: NodeJS.Timeout | undefined
  const release = () => {
    clearInterval(timer)
    for (const dir of held.splice(0)) {
      heldHere.delete(dir)
      if (isOurs(dir)) rmSync(join(dir, LOCK), { force: true })
    }
  }
  try {
    for (const given of new Set(dirs)) {
      const dir = resolve(given)
      await take(dir, o)
      held.push(dir)
    }
  } catch (error) {
    release()
    throw error
  }
  timer = setInterval(() => void renew(held, o), (o.heartbeat ?? HEARTBEAT).everyMs)
  timer.unref()
  return release
}

const mine = () => ownerText(thisProcess())
const isOurs = (dir: string) => textOf(join(dir, LOCK)) === mine()

/**
 * Renews the locks. If another process has taken a lock, reports this once and no longer renews
 * that lock.
 */
async function renew(held: string[], o: LockOptions): Promise<void> {
  for (const dir of [...held]) {
    const path = join(dir, LOCK)
    try {
      const text = textOf(path)
      // Recreate a lock that a user has deleted.
      if (text === null) writeFileSync(path, mine(), { flag: 'wx' })
      else if (text === mine()) await utimes(path, new Date(), new Date())
      else {
        held.splice(held.indexOf(dir), 1)
        heldHere.delete(dir)
        o.onLost?.(dir)
      }
    } catch (error) {
      o.warn?.(`Cannot renew the lock of ${dir}; retrying: ${messageOf(error)}`)
    }
  }
}

async function take(dir: string, o: LockOptions): Promise<void> {
  if (heldHere.has(dir)) throw brokerErrors.create('MR_BROKER_DIR_LOCKED', { dir, pid: process.pid })
  // Prevent another broker in this process from locking the directory.
  heldHere.add(dir)
  const candidate = join(dir, `${LOCK}.${process.pid}-${taken++}`)
  let holder: Holder | null
  try {
    makeDirs(dir)
    writeFileSync(candidate, mine())
    holder = await takeOrHolder(dir, candidate, o)
  } catch (cause) {
    heldHere.delete(dir)
    throw brokerErrors.create('MR_BROKER_DIR_UNWRITABLE', { dir, cause: messageOf(cause) }, { cause })
  } finally {
    removeQuietly(candidate)
  }
  if (holder === null) return
  heldHere.delete(dir)
  if (holder.where === 'here') throw brokerErrors.create('MR_BROKER_DIR_LOCKED', { dir, pid: holder.pid })
  throw brokerErrors.create('MR_BROKER_DIR_LOCKED_ELSEWHERE', { dir, pid: holder.pid, host: holder.host })
}

type Holder =
  | { readonly where: 'here'; readonly pid: number }
  | { readonly where: 'elsewhere'; readonly pid: number; readonly host: string }

/** Takes the lock and returns null, or returns the process that holds the lock. */
async function takeOrHolder(dir: string, candidate: string, o: LockOptions): Promise<Holder | null> {
  const path = join(dir, LOCK)
  for (let left = TRIES; left > 0; left--) {
    if (claim(candidate, path)) return null
    const text = textOf(path)
    if (text === null) continue
    const holder = await holderOf(path, text, o)
    if (holder !== null) return holder
    // Set the modification time of the candidate to now. When the candidate becomes the lock, other
    // processes read this time as the time of the last renewal.
    writeFileSync(candidate, readFileSync(candidate))
    if (takeOver(path, text, candidate)) return null
    await sleep(TRY_AGAIN_MS)
  }
  throw new Error(`${path} is created and removed repeatedly by other processes`)
}

/** Returns the process that holds the lock with this text, or null if the lock is stale. */
async function holderOf(path: string, text: string, o: LockOptions): Promise<Holder | null> {
  const owner = parseOwner(text)
  const byKernel = lockedByKernel(path)
  if (byKernel !== null) return { where: 'here', pid: byKernel }
  if (owner === null) return null
  const verdict = judge(owner, thisProcess())
  if (verdict === 'alive') return { where: 'here', pid: owner.pid }
  if (verdict === 'dead') return null
  if (await isRenewed(path, text, verdict, o)) return { where: 'elsewhere', pid: owner.pid, host: owner.host }
  o.warn?.(`Taking over the lock ${path}: its owner, ${describe(owner)}, no longer renews it`)
  return null
}

const describe = ({ pid, host }: LockOwner) => `process ${pid} on host ${host}`

/**
 * Waits to see whether a lock is renewed. Returns true as soon as the lock is renewed. Returns
 * false if it is not renewed in time, or if its text changes.
 */
async function isRenewed(path: string, text: string, verdict: 'hidden' | 'remote', o: LockOptions): Promise<boolean> {
  const { everyMs, silenceMs, remoteSilenceMs } = o.heartbeat ?? HEARTBEAT
  const seen = renewedAt(path)
  // If the owner is on this machine, both processes use the same clock, so measure from the last
  // renewal. Otherwise measure from now.
  const since = verdict === 'hidden' && seen !== null ? Math.min(seen, Date.now()) : Date.now()
  const until = since + (verdict === 'hidden' ? silenceMs : remoteSilenceMs)
  if (until > Date.now()) {
    const seconds = Math.ceil((until - Date.now()) / 1000)
    o.warn?.(`Waiting up to ${seconds} s to see whether ${describe(parseOwner(text)!)} still uses ${path}`)
  }
  while (Date.now() < until) {
    await sleep(Math.min(everyMs / 4, Math.max(1, until - Date.now())))
    // The lock was released or taken over. The caller then reads it again.
    if (textOf(path) !== text) return false
    if (renewedAt(path) !== seen) return true
  }
  return false
}

function removeQuietly(file: string): void {
  try {
    rmSync(file, { force: true })
  } catch {
    // If the file could not be written, it cannot be removed either, and the caller already throws
    // the first error.
  }
}
