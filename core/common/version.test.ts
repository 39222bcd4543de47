import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { VERSION } from './version.ts'

const root = join(import.meta.dirname, '../..')

test('the sources and the build have the version of package.json', () => {
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string }
  expect(VERSION).toBe(manifest.version)
  expect(
    execFileSync(process.execPath, [join(root, 'dist/cli/bin.js'), '--version'], { encoding: 'utf8' }).trim(),
  ).toBe(manifest.version)
})
