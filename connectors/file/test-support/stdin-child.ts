// Reads standard input with a source task in a thread, as a worker does. Prints a line of JSON for
// each record. Terminates the thread on SIGUSR2.
import { isMainThread, parentPort, Worker } from 'node:worker_threads'
import { FileSource } from './file-source.ts'

if (isMainThread) {
  const worker = new Worker(new URL(import.meta.url))
  worker.on('message', line => process.stdout.write(`${JSON.stringify(line)}\n`))
  process.on('SIGUSR2', () => {
    const ended = () => {
      process.stdout.write('"ended"\n')
      process.exit(0)
    }
    worker.terminate().then(ended, (error: unknown) => {
      console.error(error)
      process.exit(1)
    })
  })
} else {
  // The timer keeps the thread alive, because a task thread runs until the worker ends it.
  setInterval(() => {}, 1e6)
  const source = await FileSource.run({})
  let sent = 0
  for (;;) {
    await source.until(() => source.records.length > sent)
    for (; sent < source.records.length; sent++) {
      const { value, sourceOffset } = source.records[sent]!
      parentPort!.postMessage({ value, sourceOffset })
    }
  }
}
