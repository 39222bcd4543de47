import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { sleep } from '../../core/common/async/sleep.ts'
import { alternate, type Figures, type Summary } from '../lib/compare.ts'
import { type Prepare, post, prepareApacheStack, prepareMillrace } from '../lib/stack.ts'
import { OTHER, otherCheckout } from '../lib/warm.ts'

const STRING = 'org.apache.kafka.connect.storage.StringConverter'
const TEXT = { 'key.converter': STRING, 'value.converter': STRING, 'tasks.max': '1' }

function has(path: string, line: string): boolean {
  try {
    return readFileSync(path, 'utf8').includes(line)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false
    throw error
  }
}

async function arrives(path: string, line: string): Promise<void> {
  for (const end = Date.now() + 120_000; Date.now() < end; await sleep(5)) if (has(path, line)) return
  throw new Error(`'${line}' did not arrive within 120 s`)
}

/**
 * Measures the time from the start of the processes until a line of a file has passed through a
 * topic into another file.
 */
async function firstRecord(dir: string, prepare: Prepare): Promise<Figures> {
  mkdirSync(dir, { recursive: true })
  const [input, output] = [join(dir, 'in.txt'), join(dir, 'out.txt')]
  writeFileSync(input, 'first\n')
  const start = await prepare(dir)
  const began = performance.now()
  const stack = await start()
  try {
    const source = {
      'connector.class': 'org.apache.kafka.connect.file.FileStreamSourceConnector',
      file: input,
      topic: 'lines',
    }
    const sink = {
      'connector.class': 'org.apache.kafka.connect.file.FileStreamSinkConnector',
      file: output,
      topics: 'lines',
    }
    await post(stack.rest, 'source', { ...source, ...TEXT })
    await post(stack.rest, 'sink', { ...sink, ...TEXT })
    await arrives(output, 'first')
    const seconds = (performance.now() - began) / 1000
    return { 'first record after s': seconds, 'peak MB': stack.processes.reduce((sum, p) => sum + p.peakMb(), 0) }
  } finally {
    await stack.stop()
    rmSync(dir, { recursive: true, force: true })
  }
}

/**
 * Measures the start of a broker and a worker, until the first record has passed through a
 * pipeline.
 */
export async function coldStartBench(
  dir: string,
  rounds: number,
  say: (text: string) => void,
): Promise<{ title: string; summaries: Summary[] }[]> {
  say('cold start')
  const base = otherCheckout()
  const other = base
    ? { name: OTHER, prepare: (at: string) => prepareMillrace(at, base) }
    : { name: 'Apache Kafka and Connect', prepare: prepareApacheStack }
  const sides = [
    { name: 'Millrace', run: (n: number) => firstRecord(join(dir, `a${n}`), prepareMillrace) },
    { name: other.name, run: (n: number) => firstRecord(join(dir, `b${n}`), other.prepare) },
    { name: 'Millrace (control)', run: (n: number) => firstRecord(join(dir, `c${n}`), prepareMillrace) },
  ]
  const title = 'Cold start: from the start of the processes until the first line of a file is in another file'
  return [{ title, summaries: await alternate(sides, rounds, say) }]
}
