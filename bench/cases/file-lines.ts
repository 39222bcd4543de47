import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

export const LINES = 1_000_000
export const LINE_BYTES = 100

/**
 * Writes a file of `LINES` lines, each of `LINE_BYTES` bytes without its line end. Returns the path
 * of the file.
 */
export function writeLines(dir: string): string {
  mkdirSync(dir, { recursive: true })
  const file = join(dir, 'lines.txt')
  const block = Array.from({ length: 10_000 }, (_, n) => `${n} `.padEnd(LINE_BYTES, 'abcdefghij')).join('\n')
  writeFileSync(file, '')
  for (let n = 0; n < LINES; n += 10_000) writeFileSync(file, `${block}\n`, { flag: 'a' })
  return file
}

export type Config = Readonly<Record<string, string>>

export const STRING: Config = { 'value.converter': 'org.apache.kafka.connect.storage.StringConverter' }
export const JSON_WITHOUT_SCHEMAS: Config = {
  'value.converter': 'org.apache.kafka.connect.json.JsonConverter',
  'value.converter.schemas.enable': 'false',
}
