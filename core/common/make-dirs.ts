import { existsSync, mkdirSync, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'

/**
 * Makes a directory and those above it that are missing. Unlike `mkdirSync` with `recursive` it ends where a directory cannot be made although its
 * parent is there, as in /proc: Node goes round in circles there for ever. Throws the file system's error.
 */
export function makeDirs(dir: string): void {
  const missing: string[] = []
  let at = resolve(dir)
  for (; !existsSync(at); at = dirname(at)) missing.push(at)
  for (const path of missing.reverse()) {
    try {
      mkdirSync(path)
    } catch (error) {
      // somebody else may have made it in between
      if (!existsSync(path)) throw error
    }
  }
  if (!statSync(dir).isDirectory()) throw new Error(`${dir} is a file, not a directory`)
}
