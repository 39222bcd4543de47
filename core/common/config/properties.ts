import { readFileSync } from 'node:fs'
import { parse } from 'dot-properties'
import { defineErrors } from '../errors/error-table.ts'

const errors = defineErrors({
  MR_PROPERTIES_UNREADABLE: {
    message: 'cannot read the properties file {path}: {cause}',
    fix: 'Check the path and its permissions.',
  },
})

/** Parses the text of a Java `.properties` file (java.util.Properties). */
export function parseProperties(text: string): Record<string, string> {
  return parse(text) as Record<string, string>
}

/** Reads a `.properties` file. Throws MR_PROPERTIES_UNREADABLE. */
export function readProperties(path: string): Record<string, string> {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (cause) {
    throw errors.create('MR_PROPERTIES_UNREADABLE', { path, cause: (cause as Error).message }, { cause })
  }
  return parseProperties(text)
}
