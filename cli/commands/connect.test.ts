import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { readConnectorFile } from './connect.ts'

const dir = mkdtempSync(join(tmpdir(), 'millrace-cli-'))
afterAll(() => rmSync(dir, { recursive: true, force: true }))

function file(name: string, text: string): string {
  const path = join(dir, name)
  writeFileSync(path, text)
  return path
}

test('a properties file, the body of a POST and a flat JSON object are read as the same configuration', () => {
  const config = { name: 'lines', 'connector.class': 'FileStreamSource', 'tasks.max': '1' }
  const wanted = { config, target: null }
  expect(
    readConnectorFile(file('a.properties', 'name=lines\nconnector.class = FileStreamSource\ntasks.max:1\n')),
  ).toEqual(wanted)
  expect(
    readConnectorFile(
      file(
        'b.json',
        JSON.stringify({ name: 'lines', config: { 'connector.class': 'FileStreamSource', 'tasks.max': 1 } }),
      ),
    ),
  ).toEqual(wanted)
  expect(readConnectorFile(file('c.json', JSON.stringify({ ...config, 'tasks.max': 1 })))).toEqual(wanted)
})

test('the initial state is read from the body of a POST, and numbers keep all digits', () => {
  const text = '{"name":"n","initial_state":"stopped","config":{"connector.class":"X","ratio":1.10}}'
  const config = { name: 'n', 'connector.class': 'X', ratio: '1.10' }
  expect(readConnectorFile(file('d.json', text))).toEqual({ config, target: 'STOPPED' })
})

test('an invalid connector file is rejected with its path and the reason', () => {
  for (const [text, why] of [
    ['[1]', /x\.json cannot be used: it is not a JSON object/],
    ['{"a":', /x\.json cannot be used: .*JSON/],
    ['{"connector.class":"X"}', /'name' is missing/],
    ['{"name":"a","config":{},"initial_state":"off"}', /'initial_state' must be RUNNING, PAUSED or STOPPED/],
    ['{"name":"a","config":{"k":{"deep":1}}}', /the value of 'k' must be a string/],
  ] as const) {
    expect(() => readConnectorFile(file('x.json', text))).toThrow(why)
  }
  expect(() => readConnectorFile(join(dir, 'absent.json'))).toThrow(/absent\.json cannot be used: ENOENT/)
  expect(() => readConnectorFile(join(dir, 'absent.properties'))).toThrow(/absent\.properties/)
})
