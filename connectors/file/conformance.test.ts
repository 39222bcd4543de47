import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sinkConformance, sourceConformance } from 'millrace/testing'
import { test } from 'vitest'
import { FileStreamSinkConnector } from './sink-connector.ts'
import { FileStreamSourceConnector } from './source-connector.ts'

const LINES = 8
const lines = (from: number, to: number) => Array.from({ length: to - from }, (_, n) => `line ${from + n}\n`).join('')

/** Creates a folder that is removed after the check. */
function folder() {
  const dir = mkdtempSync(join(tmpdir(), 'millrace-file-'))
  return { path: (name: string) => join(dir, name), dispose: () => rmSync(dir, { recursive: true, force: true }) }
}

const sourceChecks = sourceConformance({
  connector: FileStreamSourceConnector,
  fixture: () => {
    const { path, dispose } = folder()
    const file = path('in.txt')
    let count = LINES
    writeFileSync(file, lines(0, LINES))
    return {
      config: { file, topic: 't', 'batch.size': '3' },
      records: LINES,
      produce: more => {
        appendFileSync(file, lines(count, count + more))
        count += more
      },
      dispose,
    }
  },
  produces: true,
  invalid: [
    { config: { topic: '' }, key: 'topic' },
    { config: { 'batch.size': '0' }, key: 'batch.size' },
  ],
})
for (const check of sourceChecks) test(`FileStreamSource: ${check.name}`, check.run)

const sinkChecks = sinkConformance({
  connector: FileStreamSinkConnector,
  fixture: () => {
    const { path, dispose } = folder()
    const file = path('out.txt')
    writeFileSync(file, '')
    return {
      config: { file },
      written: () =>
        readFileSync(file, 'utf8')
          .split('\n')
          .flatMap(line => (/^\d+$/.test(line) ? [Number(line)] : [])),
      dispose,
    }
  },
  record: n => ({ value: n }),
  invalid: [{ config: { format: 'xml' }, key: 'format' }],
})
for (const check of sinkChecks) test(`FileStreamSink: ${check.name}`, check.run)
