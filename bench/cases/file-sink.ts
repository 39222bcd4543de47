import { rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { sleep } from '../../core/common/async/sleep.ts'
import type { Figures, Summary } from '../lib/compare.ts'
import { post, reaches, remove, type Stack } from '../lib/stack.ts'
import { compareWarm, onWarmStacks, StackMeter } from '../lib/warm.ts'
import { type Config, JSON_WITHOUT_SCHEMAS, LINE_BYTES, LINES, STRING, writeLines } from './file-lines.ts'

const WAYS: readonly (readonly [string, Config])[] = [
  ['as text', STRING],
  ['as JSON', JSON_WITHOUT_SCHEMAS],
]

const SIZE = LINES * (LINE_BYTES + 1)

/** Fills a topic with the lines of the file, as the converter in `config` reads them. */
async function fill(stack: Stack, topic: string, file: string, config: Config): Promise<void> {
  const name = `fill-${topic}`
  const source = { 'connector.class': 'org.apache.kafka.connect.file.FileStreamSourceConnector', file, topic }
  await post(stack.rest, name, { ...source, ...config, 'tasks.max': '1' })
  await reaches(stack.bootstrap, topic, LINES)
  await remove(stack, name, { keepTopic: true })
}

/** Measures the time from the POST of the connector until the file has the bytes of all lines. */
async function write(stack: Stack, name: string, topic: string, file: string, config: Config): Promise<Figures> {
  const meter = new StackMeter(stack)
  const sink = { 'connector.class': 'org.apache.kafka.connect.file.FileStreamSinkConnector', file, topics: topic }
  await post(stack.rest, name, { ...sink, ...config, 'tasks.max': '1' })
  const size = () => statSync(file, { throwIfNoEntry: false })?.size ?? 0
  for (const end = Date.now() + 600_000; size() < SIZE; await sleep(20)) {
    if (Date.now() > end) throw new Error(`${file} did not reach ${SIZE} bytes`)
  }
  const figures = meter.read(LINES, 'lines')
  if (size() !== SIZE) throw new Error(`${file} has ${size()} bytes, not ${SIZE}`)
  await remove(stack, name, { keepTopic: true })
  rmSync(file)
  return figures
}

/** Measures the sink, which writes a topic into a file, on stacks that keep running. */
export function fileSinkBench(
  dir: string,
  rounds: number,
  say: (text: string) => void,
): Promise<{ title: string; summaries: Summary[] }[]> {
  const lines = writeLines(join(dir, 'input'))
  return onWarmStacks(dir, 'Apache Connect and Kafka', async sides => {
    const results: { title: string; summaries: Summary[] }[] = []
    for (const [w, [how, config]] of WAYS.entries()) {
      const topic = `filled-${w}`
      for (const { target } of sides) await fill(target, topic, lines, config)
      const title = `FileStreamSink: ${LINES} records of ${LINE_BYTES} bytes from a topic into a file, ${how}`
      const run = (stack: Stack, round: number) =>
        write(stack, `sink-${w}-${round}`, topic, join(dir, `out-${round}.txt`), config)
      results.push(await compareWarm({ title, leading: 'lines/s', run }, sides, { rounds, say }))
    }
    return results
  })
}
