// Writes the records FROM to COUNT to a file with a sink task, in batches of random size. Prints
// the next offset after each commit. The test kills this process.
// Usage: node sink-child.ts FILE FORMAT SEED FROM COUNT
import { random } from '../../../test/random.ts'
import { FileSink } from './file-sink.ts'

const [file, format, seed, from, count] = process.argv.slice(2) as [string, string, string, string, string]
const { below } = random(Number(seed))
const sink = new FileSink({ file, format })
sink.onCommit = (_topic, _partition, offset) => process.stdout.write(`${Number(from) + offset}\n`)
await sink.start()

/** Returns the value of record `n`. It contains `n` and its length, which the test checks. */
const record = (n: number) => {
  const length = n % 37 === 0 ? 300_000 : (n * 7919) % 3000
  return format === 'json' ? { n, text: 'ü'.repeat(length) } : `${n}:${length}:${'ü'.repeat(length)};`
}

for (let n = Number(from); n < Number(count); ) {
  const end = Math.min(Number(count), n + 1 + below(200))
  await sink.put(...Array.from({ length: end - n }, (_, i) => record(n + i)))
  n = end
  if (below(5) === 0) await sink.committed()
}
await sink.committed()
await sink.stop()
