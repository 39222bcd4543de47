import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { pathToFileURL } from 'node:url'
import { expect, test } from 'vitest'

const PROGRAM = join(import.meta.dirname, 'test-support/count-operations.ts')
const COUNTER = pathToFileURL(join(import.meta.dirname, 'test-support/kill-at-operation.ts')).href

/**
 * The file operations of the periodic checkpoint, which may run during any change. The checkpoint
 * opens, writes, syncs and renames four files.
 */
const CHECKPOINTS = 16

type Counts = Record<string, { files: number; entries: number }>

/**
 * Returns the number of file operations and of visited metadata entries for each change, in a
 * broker with this number of partitions.
 */
async function countsAt(partitions: number): Promise<Counts> {
  const child = spawn(process.execPath, ['--import', COUNTER, PROGRAM, String(partitions)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [out, [code]] = await Promise.all([text(child.stdout), once(child, 'exit')])
  expect(code).toBe(0)
  return JSON.parse(out) as Counts
}

test('a change costs the same with 10,000 partitions as with 100', {
  timeout: 600_000,
}, async () => {
  const few = await countsAt(100)
  const many = await countsAt(10_000)
  expect(Object.keys(many)).toEqual(Object.keys(few))
  for (const [change, { files, entries }] of Object.entries(many)) {
    expect(files - few[change]!.files, change).toBeLessThanOrEqual(CHECKPOINTS)
    if (change !== 'create 30 partitions again') expect(entries, change).toBeLessThan(100)
  }
  // The checkpoint files still contain the deleted partitions, and are rewritten once for all of
  // them.
  expect(many['create 30 partitions again']!.entries).toBeLessThan(100_000)
  // Deleting a partition takes one file operation: its directory is renamed.
  expect(many['delete 30 partitions']!.files).toBeLessThanOrEqual(30 + CHECKPOINTS)
})
