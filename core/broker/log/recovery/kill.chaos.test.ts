import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { LogManager } from '../log-manager.ts'
import { indexProblems } from '../test-support/check-indexes.ts'
import { configOf, readAll, recordingLogger, removeDir, tempDir } from '../test-support/logs.ts'

let dir: string
beforeEach(() => {
  dir = tempDir()
})
afterEach(() => removeDir(dir))

interface Ack {
  readonly partition: number
  readonly baseOffset: number
  readonly records: string[]
}

const KILLS = Number(process.env['MILLRACE_KILLS'] ?? 6)

/**
 * Starts a process that appends records, and kills it after `after` acknowledgements. Returns all
 * acknowledgements.
 */
async function appendAndKill(fsync: string, after: number): Promise<Ack[]> {
  const child = fork(join(import.meta.dirname, '../test-support/append-until-killed.ts'), [dir, fsync], {
    execArgv: [],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  const acks: Ack[] = []
  child.on('message', (ack: Ack) => {
    if (acks.push(ack) === after) child.kill('SIGKILL')
  })
  await once(child, 'close')
  return acks
}

test(`every record acknowledged before SIGKILL exists after a restart, for ${KILLS} kills in a row`, async () => {
  const acked: Ack[] = []
  for (let i = 0; i < KILLS; i++) {
    const acks = await appendAndKill(i % 2 === 0 ? 'none' : 'group', 40 + ((i * 977) % 400))
    expect(acks.length).toBeGreaterThanOrEqual(40)
    acked.push(...acks)
    const manager = await LogManager.open({ dirs: [dir], defaults: configOf(), logger: recordingLogger() })
    for (const log of manager.all()) {
      const byOffset = new Map((await readAll(log)).map(r => [r.offset, String(r.value)]))
      expect(byOffset.size).toBe(log.logEndOffset)
      for (const { baseOffset, records } of acked.filter(a => a.partition === log.partition)) {
        expect(records.map((_, n) => byOffset.get(baseOffset + n))).toEqual(records)
      }
    }
    await manager.close()
    for (const p of [0, 1, 2]) expect(indexProblems(join(dir, `t-${p}`))).toEqual([])
  }
})
