import { appendFileSync, mkdirSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { sleep } from '../../core/common/async/sleep.ts'
import { FileWatch } from './file-watch.ts'
import { temporaryFolder } from './test-support/temporary-folder.ts'

/** The intervals are long enough that only events end a wait. */
const EVENTS_ONLY = { min: 1e6, max: 1e6 }

test('a watch reports a file that appears, even with its folders, grows, shrinks, vanishes or reappears', async () => {
  using dir = temporaryFolder()
  const file = dir.path('a/b/c.txt')
  const problems: unknown[] = []
  const watch = new FileWatch(file, e => problems.push(e), EVENTS_ONLY)
  const { signal } = new AbortController()
  const events: (() => void)[] = [
    () => {
      mkdirSync(dir.path('a/b'), { recursive: true })
      writeFileSync(file, 'x')
    },
    () => appendFileSync(file, 'more'),
    () => truncateSync(file, 1),
    () => renameSync(file, `${file}.1`),
    () => writeFileSync(file, 'y'),
    () => appendFileSync(file, 'more'),
    () => rmSync(file),
    () => writeFileSync(file, 'z'),
    () => {
      writeFileSync(`${file}.new`, 'replaced at once')
      renameSync(`${file}.new`, file)
    },
    () => appendFileSync(file, 'more'),
    () => rmSync(dir.path('a'), { recursive: true }),
    () => {
      mkdirSync(dir.path('a/b'), { recursive: true })
      writeFileSync(file, 'x')
    },
  ]
  // The first event is `ready`. One change can cause two events.
  await watch.changed(signal)
  for (const event of events) {
    event()
    await watch.changed(signal)
    await sleep(60)
  }
  await watch.close()
  expect(problems).toEqual([])
})

test('the file is checked regularly if no event arrives', async () => {
  using dir = temporaryFolder()
  const watch = new FileWatch(dir.path('never'), () => {}, { min: 1, max: 4 })
  const { signal } = new AbortController()
  for (let i = 0; i < 20; i++) await watch.changed(signal)
  await watch.close()
})

test('an abort before or during a wait ends the wait', async () => {
  using dir = temporaryFolder()
  const watch = new FileWatch(dir.path('never'), () => {}, EVENTS_ONLY)
  const abort = new AbortController()
  await watch.changed(abort.signal)
  await sleep(50)
  const waits = [watch.changed(abort.signal).then(() => watch.changed(abort.signal))]
  abort.abort()
  await Promise.all(waits)
  await watch.changed(abort.signal)
  await watch.close()
})
