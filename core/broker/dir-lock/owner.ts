import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { hostname } from 'node:os'
import { isErrno } from '../log/io/files.ts'

/**
 * The owner of a lock, as written in its file. Parts that the system does not provide are empty.
 */
export interface LockOwner {
  readonly pid: number
  /**
   * The start time of the process in clock ticks since boot. It distinguishes the process from a
   * later one with the same pid.
   */
  readonly start: string
  readonly host: string
  /** The boot id, which is the same for all processes of a running kernel, in any container. */
  readonly boot: string
  /** The pid namespace. A pid from another namespace (a container) has no meaning here. */
  readonly namespace: string
}

/** Returns null without /proc, or if the process has exited. */
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

/** The number of the initial pid namespace, outside any container (PROC_PID_INIT_INO). */
const NO_CONTAINER = 'pid:[4026531836]'

/** The fields of /proc/PID/stat after the process name. The name may contain any character. */
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
 * Parses a lock file. Returns null if it names no owner: after a crash while writing, or if an
 * Apache broker wrote it.
 */
export function parseOwner(text: string): LockOwner | null {
  const old = /^(\d{1,10}) (\d+)-(\w{8})\n$/.exec(text)
  if (old !== null) return parseFirstFormat(Number(old[1]), old[2]!, old[3]!)
  const m = /^(\d{1,10}) (\d*)\nhost (\S*)\nboot (\S*)\nnamespace (\S*)\n$/.exec(text)
  if (m === null) return null
  return { pid: Number(m[1]), start: m[2]!, host: m[3]!, boot: m[4]!, namespace: m[5]! }
}

/** Version 0.1 wrote only the beginning of the boot id, and no namespace. */
function parseFirstFormat(pid: number, start: string, boot: string): LockOwner {
  const me = thisProcess()
  return { ...me, pid, start, boot: me.boot.startsWith(boot) ? me.boot : boot }
}

/**
 * What can be found out about an owner immediately. `alive` and `dead` are certain. If the process
 * is not visible, only renewals can show whether it runs: `hidden` is on this machine (in another
 * container), `remote` may be on another machine.
 */
export type Verdict = 'alive' | 'dead' | 'hidden' | 'remote'

export function judge(owner: LockOwner, me: LockOwner): Verdict {
  if (owner.boot !== '' && owner.boot === me.boot) return owner.namespace === me.namespace ? stateOf(owner) : 'hidden'
  if (owner.host !== me.host) return 'remote'
  // Without /proc, as on macOS, a pid that exists may belong to a later process or a zombie.
  if (owner.boot === '' && me.boot === '') return owner.pid !== me.pid && answers(owner.pid) ? 'hidden' : 'dead'
  // The machine has rebooted since. The host name of a container proves nothing.
  return owner.namespace === NO_CONTAINER && me.namespace === NO_CONTAINER ? 'dead' : 'remote'
}

/** The state of a process in our own pid namespace. */
function stateOf({ pid, start }: LockOwner): 'alive' | 'dead' {
  const stat = statOf(pid)
  if (stat === null) return answers(pid) && start === '' ? 'alive' : 'dead'
  // Another process has reused the pid.
  if (stat[19] !== start) return 'dead'
  return isDefunct(pid, stat[0]!) ? 'dead' : 'alive'
}

/** A zombie has exited. It only keeps its pid until its parent reads the exit code. */
function isDefunct(pid: number, state: string): boolean {
  if (state !== 'Z' && state !== 'X') return false
  try {
    // If other threads are running, only the first thread has exited.
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
