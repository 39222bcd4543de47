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

test('a connector is read from properties, from what POST takes, and from a flat JSON object, to the same configuration', () => {
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

test('the initial state of what POST takes is read, numbers as they stand there', () => {
  const text = '{"name":"n","initial_state":"stopped","config":{"connector.class":"X","ratio":1.10}}'
  const config = { name: 'n', 'connector.class': 'X', ratio: '1.10' }
  expect(readConnectorFile(file('d.json', text))).toEqual({ config, target: 'STOPPED' })
})

test('a connector file that is not one is refused with its path and what is wrong', () => {
  for (const [text, why] of [
    ['[1]', /x\.json cannot be used: it is not a JSON object/],
    ['{"a":', /x\.json cannot be used: .*JSON/],
    ['{"connector.class":"X"}', /it has no 'name'/],
    ['{"name":"a","config":{},"initial_state":"off"}', /its 'initial_state' is none of RUNNING, PAUSED, STOPPED/],
    ['{"name":"a","config":{"k":{"deep":1}}}', /the value of 'k' is not a text/],
  ] as const) {
    expect(() => readConnectorFile(file('x.json', text))).toThrow(why)
  }
  expect(() => readConnectorFile(join(dir, 'absent.json'))).toThrow(/absent\.json cannot be used: ENOENT/)
  expect(() => readConnectorFile(join(dir, 'absent.properties'))).toThrow(/absent\.properties/)
})
