// Writes lines to standard output with a file sink in a thread, as a worker does.
// Usage: node stdout-child.ts COUNT
import { isMainThread, Worker } from 'node:worker_threads'
import { FileSink } from './file-sink.ts'

if (isMainThread) {
  new Worker(new URL(import.meta.url), { argv: process.argv.slice(2) })
} else {
  await using sink = await FileSink.run({})
  const count = Number(process.argv[2])
  for (let n = 0; n < count; n += 500)
    await sink.put(...Array.from({ length: 500 }, (_, i) => `${n + i} ${'x'.repeat(200)}`))
  await sink.committed()
}
