import { spawn } from 'node:child_process'
import { createReadStream, existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { expect, test } from 'vitest'
import { random } from '../../test/random.ts'
import { temporaryFolder } from './test-support/temporary-folder.ts'

const COUNT = 6000
const KILLS = 15

/**
 * Runs sink-child.ts until it exits, or kills it `ms` milliseconds after its first commit. Returns
 * the last offset that it committed.
 */
async function run(args: readonly string[], ms: number | null): Promise<number | null> {
  const child = spawn(
    process.execPath,
    ['--conditions=millrace-source', join(import.meta.dirname, 'test-support/sink-child.ts'), ...args],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  )
  let timer: NodeJS.Timeout | undefined
  let committed: number | null = null
  for await (const line of createInterface({ input: child.stdout })) {
    // The time counts from the first commit, so that the child is writing when it is killed.
    if (ms !== null) timer ??= setTimeout(() => child.kill('SIGKILL'), ms)
    committed = Number(line)
  }
  clearTimeout(timer)
  return committed
}

test.each(['text', 'json'])(
  'after kills at random moments and restarts, a %s file has every record and no incomplete line',
  async format => {
    const seed = Number(process.env['SEED'] ?? Math.floor(Math.random() * 1e9))
    console.log(`sink kill seed ${seed} (${format})`)
    const { below } = random(seed)
    using dir = temporaryFolder()
    const file = dir.path('out')
    let from = 0
    let kills = 0
    for (; kills < KILLS && from < COUNT; kills++) {
      const committed = await run([file, format, String(seed + kills), String(from), String(COUNT)], below(50))
      from = committed ?? from
    }
    if (from < COUNT) expect(await run([file, format, String(seed), String(from), String(COUNT)], null)).toBe(COUNT)
    const seen = new Set<number>()
    let next = 0
    let lines = 0
    for await (const line of createInterface({ input: createReadStream(file) })) {
      lines++
      const n = format === 'json' ? ofJson(line) : ofText(line)
      // After a kill, records may repeat, but none is missing.
      expect(n).toBeLessThanOrEqual(next)
      next = n + 1
      seen.add(n)
    }
    expect(seen.size).toBe(COUNT)
    expect(readFileSync(file).at(-1)).toBe(10)
    console.log(
      `${kills} kills, ${lines - COUNT} records twice, ${existsSync(`${file}.torn`) ? 'some' : 'no'} incomplete lines`,
    )
  },
)

function ofText(line: string): number {
  const [, n, length, text] = /^(\d+):(\d+):(ü*);$/.exec(line) ?? []
  expect(text, `an incomplete line: ${line.slice(0, 100)}`).toHaveLength(Number(length ?? -1))
  return Number(n)
}

function ofJson(line: string): number {
  const { n, text } = JSON.parse(line)
  expect(text).toHaveLength(n % 37 === 0 ? 300_000 : (n * 7919) % 3000)
  return n
}
