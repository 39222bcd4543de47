import { spawn } from 'node:child_process'

export interface GroupOptions {
  readonly cwd: string
  readonly env: NodeJS.ProcessEnv
  /** After so many milliseconds everything is ended. */
  readonly limitMs: number
  /** Called before the processes are ended, at the limit or by a signal to this process. */
  onEnd(why: 'limit' | NodeJS.Signals): void
  /** How long they have to end by themselves after SIGTERM. Default 10000. */
  readonly graceMs?: number
}

/**
 * Runs a program in a process group of its own and resolves with its exit code, 1 where it was ended by a signal. Whatever of the group is
 * left then, or at the limit, is killed: a process that hangs or was forgotten holds nobody up.
 */
export function runGroup(program: string, args: readonly string[], options: GroupOptions): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      cwd: options.cwd,
      env: options.env,
      stdio: ['ignore', 'inherit', 'inherit'],
      detached: true,
    })
    /** False where nothing is left of the group. */
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
    // The group is not the terminal's, so Ctrl-C reaches only this process.
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
