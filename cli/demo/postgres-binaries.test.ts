import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { reachableBinaries } from './postgres-binaries.ts'

const NOBODY = { uid: 65_534, gid: 65_534 }
let dir: string
let copy: string
let found: { initdb: string; postgres: string }

/** Creates a server in a directory that only its owner may enter. */
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'millrace-binaries-'))
  chmodSync(dir, 0o755)
  const native = join(dir, 'own/native')
  mkdirSync(join(native, 'bin'), { recursive: true })
  mkdirSync(join(native, 'share'))
  found = { initdb: join(native, 'bin/initdb'), postgres: join(native, 'bin/postgres') }
  for (const file of Object.values(found)) writeFileSync(file, 'binary', { mode: 0o755 })
  writeFileSync(join(native, 'share/timezone'), 'data')
  chmodSync(join(dir, 'own'), 0o700)
  copy = join(dir, 'shared/server')
})
afterEach(() => {
  rmSync(dir, { recursive: true, force: true })
})

test('binaries that the user can reach are used without a copy', () => {
  expect(reachableBinaries(found, null, copy)).toEqual(found)
  chmodSync(join(dir, 'own'), 0o755)
  expect(reachableBinaries(found, NOBODY, copy)).toEqual(found)
  expect(existsSync(copy)).toBe(false)
})

test('binaries that the user cannot reach are copied completely, even if an earlier copy was interrupted', () => {
  mkdirSync(`${copy}.part-x/whole/bin`, { recursive: true })
  const at = { initdb: join(copy, 'bin/initdb'), postgres: join(copy, 'bin/postgres') }
  expect(reachableBinaries(found, NOBODY, copy)).toEqual(at)
  expect(readFileSync(at.postgres, 'utf8')).toBe('binary')
  expect(readdirSync(copy).sort()).toEqual(['bin', 'share'])
  // The next call reuses the copy.
  writeFileSync(at.postgres, 'copy')
  expect(reachableBinaries(found, NOBODY, copy)).toEqual(at)
  expect(readFileSync(at.postgres, 'utf8')).toBe('copy')
})
