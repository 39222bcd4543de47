import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { alternate, type Figures, type Side, type Summary } from '../lib/compare.ts'
import { type Prepare, post, prepareApacheStack, prepareMillrace, reachable, reaches } from '../lib/stack.ts'

const LINES = 1_000_000
const LINE_BYTES = 100

type Config = Readonly<Record<string, string>>

const TEXT: Config = { 'value.converter': 'org.apache.kafka.connect.storage.StringConverter' }
/** A struct of the line, a field more, and a key out of it. */
const JSON_WITH_TRANSFORMS: Config = {
  'value.converter': 'org.apache.kafka.connect.json.JsonConverter',
  'value.converter.schemas.enable': 'false',
  transforms: 'hoist,from,key',
  'transforms.hoist.type': 'org.apache.kafka.connect.transforms.HoistField$Value',
  'transforms.hoist.field': 'line',
  'transforms.from.type': 'org.apache.kafka.connect.transforms.InsertField$Value',
  'transforms.from.static.field': 'from',
  'transforms.from.static.value': 'bench',
  'transforms.key.type': 'org.apache.kafka.connect.transforms.ValueToKey',
  'transforms.key.fields': 'from',
  'key.converter': 'org.apache.kafka.connect.json.JsonConverter',
  'key.converter.schemas.enable': 'false',
}

function writeLines(file: string): void {
  const block = Array.from({ length: 10_000 }, (_, n) => `${n} `.padEnd(LINE_BYTES, 'abcdefghij')).join('\n')
  writeFileSync(file, '')
  for (let n = 0; n < LINES; n += 10_000) writeFileSync(file, `${block}\n`, { flag: 'a' })
}

/** From POST of the connector until the topic's end offset says that the last line is there. */
async function throughput(dir: string, prepare: Prepare, config: Config): Promise<Figures> {
  mkdirSync(dir, { recursive: true })
  const file = join(dir, 'lines.txt')
  writeLines(file)
  const stack = await (await prepare(dir))()
  try {
    await reachable(stack.rest)
    const began = performance.now()
    const source = {
      'connector.class': 'org.apache.kafka.connect.file.FileStreamSourceConnector',
      file,
      topic: 'lines',
    }
    await post(stack.rest, 'lines', { ...source, ...config, 'tasks.max': '1' })
    await reaches(stack.bootstrap, 'lines', LINES)
    const seconds = (performance.now() - began) / 1000
    return { 'lines/s': LINES / seconds, 'worker peak MB': stack.worker.peakMb() }
  } finally {
    await stack.stop()
    rmSync(dir, { recursive: true, force: true })
  }
}

/** Lines of a file into a topic, as text and through transformations as JSON; each run on stacks started anew. */
export async function fileStreamBench(
  dir: string,
  rounds: number,
  say: (text: string) => void,
): Promise<{ title: string; summaries: Summary[] }[]> {
  const results: { title: string; summaries: Summary[] }[] = []
  let n = 0
  const ways: readonly (readonly [string, Config])[] = [
    ['as text', TEXT],
    ['as JSON, through three transformations', JSON_WITH_TRANSFORMS],
  ]
  for (const [how, config] of ways) {
    const title = `FileStreamSource: ${LINES} lines of ${LINE_BYTES} bytes into a topic, ${how}`
    say(title)
    const run = (prepare: Prepare) => () => throughput(join(dir, `run${++n}`), prepare, config)
    const sides: Side[] = [
      { name: 'Millrace', run: run(prepareMillrace) },
      { name: 'Apache Connect and Kafka', run: run(prepareApacheStack) },
      { name: 'Millrace (control)', run: run(prepareMillrace) },
    ]
    results.push({ title, summaries: await alternate(sides, rounds, say) })
  }
  return results
}
