// Reads standard input by a source task in a worker thread, as the platform does; prints a line of
// JSON for each record, ends the thread on SIGUSR2.
import { isMainThread, parentPort, Worker } from 'node:worker_threads'
import { PlayedSource } from './played-source.ts'

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
  // the platform's thread lives until it is told to end
  setInterval(() => {}, 1e6)
  const source = await PlayedSource.start({ topic: 't' })
  let told = 0
  for (;;) {
    await source.until(() => source.records.length > told)
    for (; told < source.records.length; told++) {
      const { value, sourceOffset } = source.records[told]!
      parentPort!.postMessage({ value, sourceOffset })
    }
  }
}
