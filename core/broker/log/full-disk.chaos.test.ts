import { fork, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { indexProblems } from './test-support/check-indexes.ts'
import { openLog, readValues, removeDir, tempDir } from './test-support/logs.ts'

const LIMIT = 100_000
const prlimit = (pid: number, limit: number | 'unlimited') =>
  spawnSync('prlimit', ['--pid', String(pid), `--fsize=${limit}:unlimited`]).status

test.skipIf(spawnSync('prlimit', ['--version']).status !== 0)(
  'after a partial write to a full disk, acknowledged records exist and new ones can be written once there is space',
  async () => {
    const dir = tempDir()
    expect(prlimit(process.pid, LIMIT)).toBe(0)
    const child = fork(join(import.meta.dirname, 'test-support/append-past-limit.ts'), [dir], { execArgv: [] })
    expect(prlimit(process.pid, 'unlimited')).toBe(0)
    const [full] = await once(child, 'message')
    expect(full.failure).toContain('KAFKA_STORAGE_ERROR')
    expect(full.refusedAgain).toContain('KAFKA_STORAGE_ERROR')
    expect(full.small).toBeNull()
    expect(prlimit(child.pid!, 'unlimited')).toBe(0)
    child.send('limit lifted')
    const [{ after, values }] = await once(child, 'message')
    await once(child, 'close')
    expect(after).toBeNull()
    expect(statSync(join(dir, '00000000000000000000.log')).size).toBeGreaterThan(LIMIT)
    const log = await openLog(dir)
    expect(await readValues(log)).toEqual(values)
    await log.close()
    expect(indexProblems(dir)).toEqual([])
    removeDir(dir)
  },
)
