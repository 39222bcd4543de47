import { type ChildProcess, spawn } from 'node:child_process'
import { openSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { expect, test } from 'vitest'
import { temporaryFolder } from './test-support/temporary-folder.ts'

const program = join(import.meta.dirname, 'test-support/stdin-child.ts')
/** With this condition, the program imports the TypeScript sources of millrace/connect. */
const SOURCES = '--conditions=millrace-source'

/** Returns a function that reads the next line of a child's output. */
function output(child: ChildProcess): () => Promise<unknown> {
  const lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]()
  return async () => JSON.parse(String((await lines.next()).value))
}

const line = (value: string) => ({ value, sourceOffset: null })

test('lines from a pipe are read as they arrive, and the thread can end while it waits for input', async () => {
  // This is a socket, because Node does not create pipes for its children.
  const child = spawn(process.execPath, [SOURCES, program], { stdio: ['pipe', 'pipe', 'inherit'] })
  const next = output(child)
  child.stdin.write('one\ntw')
  expect(await next()).toEqual(line('one'))
  child.stdin.write('o\n')
  expect(await next()).toEqual(line('two'))
  child.kill('SIGUSR2')
  expect(await next()).toBe('ended')
})

test('a shell pipe is read, and its last line needs no line end', async () => {
  const child = spawn('/bin/sh', ['-c', `(printf 'one\\ntwo') | "$0" "$1" "$2"`, process.execPath, SOURCES, program], {
    stdio: ['ignore', 'pipe', 'inherit'],
    detached: true,
  })
  const next = output(child)
  expect(await next()).toEqual(line('one'))
  expect(await next()).toEqual(line('two'))
  process.kill(-child.pid!, 'SIGKILL')
})

test('an idle pipe does not keep its thread alive', async () => {
  const child = spawn(
    '/bin/sh',
    ['-c', `(echo one; exec sleep 1000) | exec "$0" "$1" "$2"`, process.execPath, SOURCES, program],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
      detached: true,
    },
  )
  const next = output(child)
  expect(await next()).toEqual(line('one'))
  process.kill(-child.pid!, 'SIGUSR2')
  expect(await next()).toBe('ended')
})

test('a file as standard input is read to its end', async () => {
  using dir = temporaryFolder()
  const file = dir.path('in.txt')
  writeFileSync(file, 'x\n'.repeat(100_000))
  const child = spawn(process.execPath, [SOURCES, program], { stdio: [openSync(file, 'r'), 'pipe', 'inherit'] })
  const next = output(child)
  for (let i = 0; i < 100_000; i++) await next()
  child.kill('SIGUSR2')
  expect(await next()).toBe('ended')
})
