import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { hostname } from 'node:os'
import { isErrno } from '../log/io/files.ts'

/**
 * The owner of a lock, as the lock file describes it. Fields that the system does not provide are
 * empty.
 */
export interface LockOwner {
  readonly pid: number
  /**
   * The start time of the process, in clock ticks since boot. It distinguishes the process from a
   * later process with the same pid.
   */
  readonly start: string
  readonly host: string
  /**
   * The boot id. It is the same for all processes on a machine until the machine reboots, also in
   * containers.
   */
  readonly boot: string
  /**
   * The pid namespace. Each container usually has its own namespace, and a pid is valid only within
   * its namespace.
   */
  readonly namespace: string
}

/**
 * Returns the content of a file in /proc. Returns null if it cannot be read, for example because
 * the process has exited.
 */
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

/**
 * The pid namespace of processes that are not in a container. The kernel calls its number
 * PROC_PID_INIT_INO.
 */
const NO_CONTAINER = 'pid:[4026531836]'

/**
 * Returns the fields of /proc/PID/stat that follow the process name. They start after the last
 * parenthesis, because the name may contain any character.
 */
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
 * Parses the text of a lock file. Returns null if it does not name an owner, because a process
 * crashed while it wrote the file, or because the file belongs to an Apache broker.
 */
export function parseOwner(text: string): LockOwner | null {
  const old = /^(\d{1,10}) (\d+)-(\w{8})\n$/.exec(text)
  if (old !== null) return parseFirstFormat(Number(old[1]), old[2]!, old[3]!)
  const m = /^(\d{1,10}) (\d*)\nhost (\S*)\nboot (\S*)\nnamespace (\S*)\n$/.exec(text)
  if (m === null) return null
  return { pid: Number(m[1]), start: m[2]!, host: m[3]!, boot: m[4]!, namespace: m[5]! }
}

/**
 * Returns the owner in a lock file of version 0.1, which contains only the beginning of the boot
 * id, and no namespace.
 */
function parseFirstFormat(pid: number, start: string, boot: string): LockOwner {
  const me = thisProcess()
  return { ...me, pid, start, boot: me.boot.startsWith(boot) ? me.boot : boot }
}

/**
 * Whether the owner of a lock is running. `alive` and `dead` are certain. For `hidden` and
 * `remote`, the process is not visible, and only renewals of the lock can show that it is running.
 * A `hidden` process is on this machine, for example in another container. A `remote` process may
 * be on another machine.
 */
export type Verdict = 'alive' | 'dead' | 'hidden' | 'remote'

export function judge(owner: LockOwner, me: LockOwner): Verdict {
  if (owner.boot !== '' && owner.boot === me.boot) return owner.namespace === me.namespace ? stateOf(owner) : 'hidden'
  if (owner.host !== me.host) return 'remote'
  // Without /proc, for example on macOS, the process with this pid may be a later process or a
  // zombie.
  if (owner.boot === '' && me.boot === '') return owner.pid !== me.pid && answers(owner.pid) ? 'hidden' : 'dead'
  // The host name is the same but the boot id differs. Outside containers, this means that the
  // machine has rebooted. A host in a container may have the same name by chance.
  return owner.namespace === NO_CONTAINER && me.namespace === NO_CONTAINER ? 'dead' : 'remote'
}

/** Returns whether a process in the pid namespace of this process is running. */
function stateOf({ pid, start }: LockOwner): 'alive' | 'dead' {
  const stat = statOf(pid)
  if (stat === null) return answers(pid) && start === '' ? 'alive' : 'dead'
  // Another process has reused the pid.
  if (stat[19] !== start) return 'dead'
  return isDefunct(pid, stat[0]!) ? 'dead' : 'alive'
}

/**
 * Returns whether a process is a zombie: it has exited, but keeps its pid until its parent reads
 * the exit code.
 */
function isDefunct(pid: number, state: string): boolean {
  if (state !== 'Z' && state !== 'X') return false
  try {
    // If the process has other threads, only its first thread has exited.
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
