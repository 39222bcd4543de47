import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { hostname } from 'node:os'
import { isErrno } from '../log/files.ts'

/** The owner of a lock, as in its file. Parts that the system does not provide are empty. */
export interface LockOwner {
  readonly pid: number
  /**
   * Start of the process in clock ticks since boot; distinguishes it from a later process with its
   * pid.
   */
  readonly start: string
  readonly host: string
  /** The boot id: the same for all processes of a running kernel, in any container. */
  readonly boot: string
  /** The pid namespace: pids from another namespace (a container) mean nothing here. */
  readonly namespace: string
}

/** Null without /proc, or if the process is gone. */
export function kernelFile(path: string): string | null {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return null
  }
}

function linkTarget(path: string): string {
  try {
    return readlinkSync(path)
  } catch {
    return ''
  }
}

/** The pid namespace of a machine that is no container has this number (PROC_PID_INIT_INO). */
const NO_CONTAINER = 'pid:[4026531836]'

/** The fields of /proc/PID/stat after the name, which may hold anything. */
function statOf(pid: number): string[] | null {
  const stat = kernelFile(`/proc/${pid}/stat`)
  return stat === null ? null : stat.slice(stat.lastIndexOf(')') + 2).split(' ')
}

const startOf = (pid: number): string => statOf(pid)?.[19] ?? ''

export function thisProcess(): LockOwner {
  return {
    pid: process.pid,
    start: startOf(process.pid),
    host: hostname(),
    boot: kernelFile('/proc/sys/kernel/random/boot_id')?.trim() ?? '',
    namespace: linkTarget('/proc/self/ns/pid'),
  }
}

export function ownerText(o: LockOwner): string {
  return `${o.pid} ${o.start}\nhost ${o.host}\nboot ${o.boot}\nnamespace ${o.namespace}\n`
}

/**
 * Parses a lock file; null if it names no owner, as after a crash while writing, or from an Apache
 * broker.
 */
export function parseOwner(text: string): LockOwner | null {
  const old = /^(\d{1,10}) (\d+)-(\w{8})\n$/.exec(text)
  if (old !== null) return parseFirstFormat(Number(old[1]), old[2]!, old[3]!)
  const m = /^(\d{1,10}) (\d*)\nhost (\S*)\nboot (\S*)\nnamespace (\S*)\n$/.exec(text)
  if (m === null) return null
  return { pid: Number(m[1]), start: m[2]!, host: m[3]!, boot: m[4]!, namespace: m[5]! }
}

/** Version 0.1 wrote only the start of the boot id, and no namespace. */
function parseFirstFormat(pid: number, start: string, boot: string): LockOwner {
  const me = thisProcess()
  return { ...me, pid, start, boot: me.boot.startsWith(boot) ? me.boot : boot }
}

/**
 * What is known about an owner at once. `alive` and `gone` are certain. If its process is not
 * visible, only renewals tell: `hidden` is on this machine (in another container), `remote` may be
 * on another machine.
 */
export type Verdict = 'alive' | 'gone' | 'hidden' | 'remote'

export function judge(owner: LockOwner, me: LockOwner): Verdict {
  if (owner.boot !== '' && owner.boot === me.boot) return owner.namespace === me.namespace ? stateOf(owner) : 'hidden'
  if (owner.host !== me.host) return 'remote'
  // without /proc, as on macOS: a pid that answers may be a later process's, or a zombie's
  if (owner.boot === '' && me.boot === '') return owner.pid !== me.pid && answers(owner.pid) ? 'hidden' : 'gone'
  // the machine has rebooted since; a container's host name proves nothing
  return owner.namespace === NO_CONTAINER && me.namespace === NO_CONTAINER ? 'gone' : 'remote'
}

/** Of a process in our own pid namespace. */
function stateOf({ pid, start }: LockOwner): 'alive' | 'gone' {
  const stat = statOf(pid)
  if (stat === null) return answers(pid) && start === '' ? 'alive' : 'gone'
  // another process has got the pid since
  if (stat[19] !== start) return 'gone'
  return isDefunct(pid, stat[0]!) ? 'gone' : 'alive'
}

/** A zombie has ended: it holds only its pid, until its parent reads the exit code. */
function isDefunct(pid: number, state: string): boolean {
  if (state !== 'Z' && state !== 'X') return false
  try {
    // if other threads are alive, only its first thread has ended
    return readdirSync(`/proc/${pid}/task`).length <= 1
  } catch {
    return true
  }
}

function answers(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return isErrno(error, 'EPERM')
  }
}
