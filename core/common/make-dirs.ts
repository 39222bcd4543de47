import { existsSync, mkdirSync, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'

/**
 * Creates a directory and its missing parents. Throws the error of the file system. `mkdirSync`
 * with `recursive` is not used, because it loops forever if a directory cannot be created in an
 * existing parent, such as /proc.
 */
export function makeDirs(dir: string): void {
  const missing: string[] = []
  let at = resolve(dir)
  for (; !existsSync(at); at = dirname(at)) missing.push(at)
  for (const path of missing.reverse()) {
    try {
      mkdirSync(path)
    } catch (error) {
      // Another process may have created the directory in the meantime.
      if (!existsSync(path)) throw error
    }
  }
  if (!statSync(dir).isDirectory()) throw new Error(`${dir} is a file, not a directory`)
}
