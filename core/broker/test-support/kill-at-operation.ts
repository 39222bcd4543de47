/**
 * Load this module with `--import` before a program. It counts the operations that change files in
 * the directory KILL_IN, and kills the process with SIGKILL just before operation number KILL_AT.
 * Counting starts when the program emits `counting` on `process`. If the process exits without
 * being killed, the number of operations is written to the file KILL_COUNT.
 */
import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { tmpdir } from 'node:os'

const within = process.env['KILL_IN'] ?? tmpdir()
const at = Number(process.env['KILL_AT'] ?? Number.POSITIVE_INFINITY)
const { writeFileSync } = fs
let counting = false
let count = 0
process.once('counting' as 'exit', () => {
  counting = true
})

/** The number of operations since the process started, also before the event `counting`. */
let total = 0
export const fileOperations = (): number => total

function step(): void {
  total++
  if (counting && ++count === at) process.kill(process.pid, 'SIGKILL')
}

type AnyFunction = (...args: unknown[]) => unknown

/**
 * Replaces a function of a module with one that counts calls whose first argument is a path in
 * KILL_IN.
 */
function countCalls(module: object, name: string, counts: (args: unknown[]) => boolean = () => true): void {
  const methods = module as Record<string, AnyFunction>
  const original = methods[name]!
  methods[name] = function (this: unknown, ...args: unknown[]) {
    if (typeof args[0] === 'string' && args[0].startsWith(within) && counts(args)) step()
    return original.apply(this, args)
  }
}

const opensForWriting = ([, flags]: unknown[]) => typeof flags === 'string' && flags !== 'r'

/**
 * Count writes and syncs through file handles. The path of a handle is not known, but the programs
 * write only to KILL_IN.
 */
const handle = await fs.promises.open('/dev/null', 'r')
const prototype = Object.getPrototypeOf(handle) as Record<string, AnyFunction>
await handle.close()
for (const name of ['writeFile', 'datasync', 'sync']) {
  const original = prototype[name]!
  prototype[name] = function (this: unknown, ...args: unknown[]) {
    step()
    return original.apply(this, args)
  }
}
for (const name of ['renameSync', 'rmSync', 'writeFileSync', 'mkdirSync', 'linkSync']) countCalls(fs, name)
countCalls(fs, 'openSync', opensForWriting)
for (const name of ['rename', 'rm', 'unlink']) countCalls(fs.promises, name)
countCalls(fs.promises, 'open', opensForWriting)
syncBuiltinESMExports()

process.once('exit', () => {
  const file = process.env['KILL_COUNT']
  if (file) writeFileSync(file, String(count))
})
