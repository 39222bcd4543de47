/**
 * `npm run bench [-- CASE ... --rounds N --write --base DIR --only TEXT]` runs the benchmarks. Each
 * benchmark alternates Millrace, its peer, and Millrace again as the control. `--write` puts the
 * figures into `docs/benchmarks.md`. `--base` compares with the built checkout of another commit
 * instead of the peer. `--only` runs the cases whose title contains the text.
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, tmpdir, totalmem } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { brokerBench } from '../bench/cases/broker.ts'
import { coldStartBench } from '../bench/cases/cold-start.ts'
import { elasticsearchBench } from '../bench/cases/elasticsearch.ts'
import { fileSinkBench } from '../bench/cases/file-sink.ts'
import { fileSourceBench } from '../bench/cases/file-source.ts'
import { postgresBench } from '../bench/cases/postgres.ts'
import { type Summary, table } from '../bench/lib/compare.ts'

const CASES = {
  'cold-start': coldStartBench,
  broker: brokerBench,
  'file-source': fileSourceBench,
  'file-sink': fileSinkBench,
  elasticsearch: elasticsearchBench,
  postgres: postgresBench,
} as const
const root = join(import.meta.dirname, '..')
const page = join(root, 'docs/benchmarks.md')
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string', default: '3' },
    write: { type: 'boolean', default: false },
    base: { type: 'string' },
    only: { type: 'string' },
  },
})
if (values.only) process.env['MILLRACE_BENCH_ONLY'] = values.only
if (values.base) process.env['MILLRACE_BENCH_BASE'] = resolve(values.base)
const say = (text: string) => process.stderr.write(`${text}\n`)

const peers = spawnSync(process.execPath, [join(root, 'test/peers/setup.ts')], { stdio: 'inherit' })
if (peers.status !== 0) process.exit(1)

const names = positionals.length > 0 ? positionals : Object.keys(CASES)
const dir = mkdtempSync(join(tmpdir(), 'millrace-bench-'))
const machine = `${cpus().length} cores (${cpus()[0]?.model.trim() ?? 'unknown'}), ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.versions.node}, ${new Date().toISOString().slice(0, 10)}`
say(machine)
const sections: string[] = []
try {
  for (const name of names) {
    const run = CASES[name as keyof typeof CASES]
    if (!run) throw new Error(`unknown benchmark '${name}'. Use one of ${Object.keys(CASES).join(', ')}.`)
    const results: { title: string; summaries: Summary[] }[] = await run(join(dir, name), Number(values.rounds), say)
    for (const { title, summaries } of results)
      if (summaries.length > 0) sections.push(`### ${title}\n\n${table(summaries)}\n`)
  }
} finally {
  rmSync(dir, { recursive: true, force: true })
}
const text = `Median (lowest to highest) of ${values.rounds} rounds; ${machine}.\n\n${sections.join('\n')}`
console.log(text)
if (values.write) {
  const now = readFileSync(page, 'utf8')
  const key = names.join(' ')
  const [begin, end] = [`<!-- ${key} -->`, `<!-- end ${key} -->`]
  const block = `${begin}\n${text}${end}`
  const at = now.indexOf(begin)
  writeFileSync(
    page,
    at < 0 ? `${now.trimEnd()}\n\n${block}\n` : now.slice(0, at) + block + now.slice(now.indexOf(end) + end.length),
  )
}
