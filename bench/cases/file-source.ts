import { join } from 'node:path'
import type { Figures, Summary } from '../lib/compare.ts'
import { post, reaches, remove, type Stack } from '../lib/stack.ts'
import { compareWarm, onWarmStacks, StackMeter } from '../lib/warm.ts'
import { type Config, JSON_WITHOUT_SCHEMAS, LINE_BYTES, LINES, STRING, writeLines } from './file-lines.ts'

const TRANSFORMS = 'org.apache.kafka.connect.transforms'
/** Three transformations: they wrap the line in a struct, add a field, and mask a field. */
const THREE: Config = {
  transforms: 'hoist,from,mask',
  'transforms.hoist.type': `${TRANSFORMS}.HoistField$Value`,
  'transforms.hoist.field': 'line',
  'transforms.from.type': `${TRANSFORMS}.InsertField$Value`,
  'transforms.from.static.field': 'from',
  'transforms.from.static.value': 'bench',
  'transforms.mask.type': `${TRANSFORMS}.MaskField$Value`,
  'transforms.mask.fields': 'from',
  'transforms.mask.replacement': 'hidden',
}

const WAYS: readonly (readonly [string, Config])[] = [
  ['as text', STRING],
  ['as JSON', JSON_WITHOUT_SCHEMAS],
  ['as text, through three transformations', { ...STRING, ...THREE }],
  ['as JSON, through three transformations', { ...JSON_WITHOUT_SCHEMAS, ...THREE }],
]

/**
 * Measures the time from the POST of the connector until the end offset of the topic includes the
 * last line.
 */
async function read(stack: Stack, name: string, file: string, config: Config): Promise<Figures> {
  const meter = new StackMeter(stack)
  const source = { 'connector.class': 'org.apache.kafka.connect.file.FileStreamSourceConnector', file, topic: name }
  await post(stack.rest, name, { ...source, ...config, 'tasks.max': '1' })
  await reaches(stack.bootstrap, name, LINES)
  const figures = meter.read(LINES, 'lines')
  await remove(stack, name)
  return figures
}

/**
 * Measures the source, which writes the lines of a file into a topic, on stacks that keep running.
 */
export function fileSourceBench(
  dir: string,
  rounds: number,
  say: (text: string) => void,
): Promise<{ title: string; summaries: Summary[] }[]> {
  const file = writeLines(join(dir, 'input'))
  return onWarmStacks(dir, 'Apache Connect and Kafka', async sides => {
    const results: { title: string; summaries: Summary[] }[] = []
    for (const [w, [how, config]] of WAYS.entries()) {
      const title = `FileStreamSource: ${LINES} lines of ${LINE_BYTES} bytes into a topic, ${how}`
      const run = (stack: Stack, round: number) => read(stack, `lines-${w}-${round}`, file, config)
      results.push(await compareWarm({ title, leading: 'lines/s', run }, sides, { rounds, say }))
    }
    return results
  })
}
