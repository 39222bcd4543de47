import { spawn } from 'node:child_process'

export interface GroupOptions {
  readonly cwd: string
  readonly env: NodeJS.ProcessEnv
  /** The time after which the group is ended, in milliseconds. */
  readonly limitMs: number
  /**
   * Called before the group is ended, either at the limit or because this process received a
   * signal.
   */
  onEnd(why: 'limit' | NodeJS.Signals): void
  /** The time between SIGTERM and SIGKILL in milliseconds. Default: 10000. */
  readonly graceMs?: number
}

/**
 * Runs a program in a new process group. Resolves with the exit code of the program, or with 1 if a
 * signal ended it. Processes of the group that are still running after the program has ended, or at
 * the limit, are killed.
 */
export function runGroup(program: string, args: readonly string[], options: GroupOptions): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      cwd: options.cwd,
      env: options.env,
      stdio: ['ignore', 'inherit', 'inherit'],
      detached: true,
    })
    /** Sends a signal to the group. Returns false if no process of the group is left. */
    const signal = (name: NodeJS.Signals): boolean => {
      if (child.pid === undefined) return false
      try {
        return process.kill(-child.pid, name)
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false
        throw error
      }
    }
    let killTimer: NodeJS.Timeout | undefined
    const end = (why: 'limit' | NodeJS.Signals) => {
      if (killTimer === undefined) options.onEnd(why)
      signal(why === 'limit' ? 'SIGTERM' : why)
      killTimer ??= setTimeout(() => signal('SIGKILL'), options.graceMs ?? 10_000)
    }
    const limit = setTimeout(() => end('limit'), options.limitMs)
    // The terminal sends Ctrl-C only to this process, not to the new group.
    const forward = (name: NodeJS.Signals) => end(name)
    const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
    for (const name of signals) process.on(name, forward)
    const settle = () => {
      clearTimeout(limit)
      clearTimeout(killTimer)
      for (const name of signals) process.removeListener(name, forward)
      signal('SIGKILL')
    }
    child.once('error', error => {
      settle()
      reject(error)
    })
    child.once('exit', code => {
      settle()
      resolve(code ?? 1)
    })
  })
}
