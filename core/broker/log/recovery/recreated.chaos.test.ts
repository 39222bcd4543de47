import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { LogManager } from '../log-manager.ts'
import { configOf, readValues, recordingLogger, removeDir, tempDir } from '../test-support/logs.ts'

const PROGRAM = join(import.meta.dirname, '../test-support/recreate-until-killed.ts')
const KILLER = pathToFileURL(join(import.meta.dirname, '../../test-support/kill-at-operation.ts')).href

let dir: string
beforeEach(() => {
  dir = tempDir()
})
afterEach(() => removeDir(dir))

test('a log recreated with the name of a deleted log keeps its flushed records, wherever SIGKILL interrupts', {
  timeout: 600_000,
}, async () => {
  const countFile = join(dir, 'count')
  let acknowledged = 0
  let at = 0
  while (!existsSync(countFile)) {
    at++
    const data = join(dir, String(at))
    const { stdout, stderr } = spawnSync(process.execPath, ['--import', KILLER, PROGRAM, data], {
      encoding: 'utf8',
      env: { ...process.env, KILL_IN: data, KILL_AT: String(at), KILL_COUNT: countFile },
    })
    expect(stderr).toBe('')
    const manager = await LogManager.open({ dirs: [data], defaults: configOf(), logger: recordingLogger() })
    const log = manager.get('t', 0)
    const isNew = log?.topicId === 'AAAAAAAAQACAAAAAAAAAAQ'
    if (stdout === 'new') {
      acknowledged++
      expect([isNew, log && (await readValues(log))], `killed at operation ${at}`).toEqual([true, ['new']])
    } else if (isNew) expect(log.logStartOffset, `killed at operation ${at}`).toBe(0)
    await manager.close()
  }
  expect(at).toBeGreaterThan(15)
  expect(acknowledged).toBeGreaterThan(2)
})
