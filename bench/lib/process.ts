import { type ChildProcess, spawn } from 'node:child_process'
import { openSync, readFileSync } from 'node:fs'
import { createConnection } from 'node:net'
import { sleep } from '../../core/common/async/sleep.ts'

/** A program that is measured. */
export interface Measured {
  readonly name: string
  readonly pid: number
  /** The peak of the resident memory of the program and its children, in MB. */
  peakMb(): number
  /** The CPU seconds that the program has used so far. */
  cpuSeconds(): number
  stop(signal?: NodeJS.Signals): Promise<void>
}

function statusOf(pid: number, field: string): number {
  try {
    const line = readFileSync(`/proc/${pid}/status`, 'utf8')
      .split('\n')
      .find(l => l.startsWith(`${field}:`))
    return Number(line?.replace(/\D/g, '') ?? 0)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 0
    throw error
  }
}

function childrenOf(pid: number): number[] {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}

const tree = (pid: number): number[] => [pid, ...childrenOf(pid).flatMap(tree)]

/** Starts a program whose output goes to a file. */
export function launch(
  name: string,
  file: string,
  args: readonly string[],
  log: string,
  env: NodeJS.ProcessEnv = process.env,
): Measured & { readonly child: ChildProcess } {
  const out = openSync(log, 'a')
  const child = spawn(file, args, { stdio: ['ignore', out, out], env })
  const ended = new Promise<void>(done => child.once('exit', () => done()))
  child.once('error', error => process.stderr.write(`${name}: ${error.message}\n`))
  const pid = child.pid ?? -1
  return {
    name,
    pid,
    child,
    peakMb: () => tree(pid).reduce((sum, p) => sum + statusOf(p, 'VmHWM'), 0) / 1024,
    cpuSeconds() {
      const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ')
      return (Number(fields[11]) + Number(fields[12])) / 100
    },
    async stop(signal = 'SIGTERM') {
      if (child.exitCode === null && child.signalCode === null) child.kill(signal)
      await ended
    },
  }
}

/** Waits until a process listens on a port of 127.0.0.1. */
export async function listening(port: number, timeoutMs: number): Promise<void> {
  for (const end = Date.now() + timeoutMs; Date.now() < end; await sleep(10)) {
    const open = await new Promise<boolean>(done => {
      const socket = createConnection({ port, host: '127.0.0.1' })
      socket.once('connect', () => {
        socket.destroy()
        done(true)
      })
      socket.once('error', () => done(false))
    })
    if (open) return
  }
  throw new Error(`nothing listens on port ${port} after ${timeoutMs} ms`)
}

/** Runs a program to its end. Returns its output. */
export async function runToEnd(file: string, args: readonly string[], input?: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, { stdio: ['pipe', 'pipe', 'pipe'] })
    let out = ''
    let wrong = ''
    child.stdout.on('data', c => (out += c))
    child.stderr.on('data', c => (wrong += c))
    child.on('error', reject)
    child.on('close', code =>
      code === 0
        ? resolve(out)
        : reject(new Error(`${file} ${args.slice(0, 4).join(' ')} ended with ${code}: ${(wrong || out).slice(-2000)}`)),
    )
    child.stdin.end(input)
  })
}
