import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Creates a folder that `using` removes at the end of the test. */
export function temporaryFolder(): Disposable & { path(name: string): string } {
  const dir = mkdtempSync(join(tmpdir(), 'millrace-file-'))
  return { path: name => join(dir, name), [Symbol.dispose]: () => rmSync(dir, { recursive: true, force: true }) }
}
