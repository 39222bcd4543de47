import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { removeDir, tempDir } from '../log/test-support/logs.ts'
import { MetadataRig } from './test-support/metadata-rig.ts'

const PROGRAM = join(import.meta.dirname, 'test-support/snapshot-until-killed.ts')
const KILLER = pathToFileURL(join(import.meta.dirname, '../test-support/kill-at-operation.ts')).href

let dir: string
beforeEach(() => {
  dir = tempDir()
})
afterEach(() => removeDir(dir))

test('no topic is lost if SIGKILL interrupts the writing of a snapshot or the trimming of the log at any point', {
  timeout: 300_000,
}, async () => {
  const countFile = join(dir, 'count')
  let at = 0
  while (!existsSync(countFile)) {
    at++
    const data = join(dir, String(at))
    const { stdout, signal, stderr } = spawnSync(process.execPath, ['--import', KILLER, PROGRAM, data], {
      encoding: 'utf8',
      env: { ...process.env, KILL_IN: data, KILL_AT: String(at), KILL_COUNT: countFile },
    })
    expect([signal, stderr]).toEqual([existsSync(countFile) ? null : 'SIGKILL', ''])
    const acknowledged = stdout.split('\n').filter(line => line !== '')
    // Open the directory twice, because the second start must accept the repairs of the first
    // start.
    for (let i = 0; i < 2; i++) {
      const rig = await MetadataRig.open(data)
      await rig.load()
      expect(rig.topics(), `killed at operation ${at}`).toEqual(acknowledged.sort())
      await rig.snapshot()
    }
  }
  // A snapshot takes these operations: create a temporary file, write and sync it, rename it, and
  // sync the directory. Trimming stores the new start of the log, then removes segments and the old
  // snapshot.
  expect(at).toBeGreaterThan(12)
  expect(Number(readFileSync(countFile, 'utf8'))).toBe(at - 1)
})
