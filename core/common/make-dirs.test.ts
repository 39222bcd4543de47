import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { makeDirs } from './make-dirs.ts'

const dir = mkdtempSync(join(tmpdir(), 'make-dirs-'))
afterAll(() => rmSync(dir, { recursive: true, force: true }))

test('makeDirs creates missing directories, and accepts existing ones', () => {
  makeDirs(join(dir, 'a/b/c'))
  makeDirs(join(dir, 'a/b/c'))
  expect(existsSync(join(dir, 'a/b/c'))).toBe(true)
})

test('makeDirs throws if a file exists in place of a directory', () => {
  writeFileSync(join(dir, 'file'), '')
  expect(() => makeDirs(join(dir, 'file'))).toThrow(/is a file/)
  expect(() => makeDirs(join(dir, 'file/below'))).toThrow(/ENOTDIR/)
})

test.skipIf(!existsSync('/proc/self'))('makeDirs throws if it cannot create a directory in /proc', () => {
  expect(() => makeDirs('/proc/nothing/here')).toThrow(/ENOENT/)
})
