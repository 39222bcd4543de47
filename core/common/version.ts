import { readFileSync } from 'node:fs'

/** The version of this program, read from its package.json. */
export const VERSION = readVersion()

function readVersion(): string {
  // The compiled file in dist/ is one directory deeper than the source file.
  for (const path of ['../../package.json', '../../../package.json']) {
    try {
      const json = JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8')) as {
        name?: string
        version?: string
      }
      if (json.name === 'millrace' && json.version) return json.version
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    }
  }
  return 'unknown'
}
