import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { hostname } from 'node:os'
import { isErrno } from '../log/files.ts'

/** Who holds a lock, as its file says. Parts that a system does not tell are empty. */
export interface LockOwner {
  readonly pid: number
  /** When the process started, in clock ticks since the boot: tells it from a later one with its pid. */
  readonly start: string
  readonly host: string
  /** The boot of the machine: the same for all processes of one running kernel, in whatever container. */
  readonly boot: string
  /** The pid namespace: pids of another one (a container) mean nothing here. */
  readonly namespace: string
}

/** Null where /proc is not, or the process is gone. */
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

/** Reads a lock's text; null where it says nothing: a crash while it was written left it, or an Apache broker. */
export function parseOwner(text: string): LockOwner | null {
  const old = /^(\d{1,10}) (\d+)-(\w{8})\n$/.exec(text)
  if (old !== null) return parseFirstFormat(Number(old[1]), old[2]!, old[3]!)
  const m = /^(\d{1,10}) (\d*)\nhost (\S*)\nboot (\S*)\nnamespace (\S*)\n$/.exec(text)
  if (m === null) return null
  return { pid: Number(m[1]), start: m[2]!, host: m[3]!, boot: m[4]!, namespace: m[5]! }
}

/** Version 0.1 wrote only the beginning of the boot's id, and knew nothing of containers. */
function parseFirstFormat(pid: number, start: string, boot: string): LockOwner {
  const me = thisProcess()
  return { ...me, pid, start, boot: me.boot.startsWith(boot) ? me.boot : boot }
}

/**
 * What can be said of an owner at once. `alive` and `gone` are certain. Of one that cannot be seen from here, only its
 * heartbeat tells: `hidden` is on this machine (in another container), `remote` may be on another one.
 */
export type Verdict = 'alive' | 'gone' | 'hidden' | 'remote'

export function judge(owner: LockOwner, me: LockOwner): Verdict {
  if (owner.boot !== '' && owner.boot === me.boot) return owner.namespace === me.namespace ? stateOf(owner) : 'hidden'
  if (owner.host !== me.host) return 'remote'
  // without /proc, as on macOS: a pid that answers may be a later process's, or a zombie's
  if (owner.boot === '' && me.boot === '') return owner.pid !== me.pid && answers(owner.pid) ? 'hidden' : 'gone'
  // the machine was started again since; the name of a container says less
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

/** A zombie has ended: it holds nothing but its pid, until its parent asks for its exit code. */
function isDefunct(pid: number, state: string): boolean {
  if (state !== 'Z' && state !== 'X') return false
  try {
    // with threads that live on only its first thread has ended
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
